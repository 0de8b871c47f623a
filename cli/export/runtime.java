    /** A record that the model refuses; {@link #field} says where. */
    public static final class RecordException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;
        public final String field;

        RecordException(String field, String rule, Object value) {
            super("field \"" + field + "\": expected " + rule + ", got " + value + "; correct it, or use null for a missing value");
            this.field = field;
        }
    }

    /** What the model says of a record. */
    public static final class Score {
        public double logit, probability;
        /** shares of the features that took a default, and that are outside the range of training */
        public double defaulted, outOfRange;
        public String label;
        /** of the label among the classes */
        public int index;
        /** a person should look */
        public boolean review;
        /** those of each of more than two classes; else empty */
        public double[] logits = {}, probabilities = {};

        @Override
        public String toString() {
            return label + " (probability " + probability + ")";
        }
    }

    private static final class Calibrator {
        final String method;
        final double a, b, c;
        final double[] logits, probabilities;

        Calibrator(String method, double a, double b, double c, double[] logits, double[] probabilities) {
            this.method = method;
            this.a = a;
            this.b = b;
            this.c = c;
            this.logits = logits;
            this.probabilities = probabilities;
        }
    }

    /* A class file has room for few numbers, and for long texts: constants are texts. */

    private static double[] doubles(String... parts) {
        StringTokenizer all = new StringTokenizer(String.join(" ", parts));
        double[] found = new double[all.countTokens()];
        for (int i = 0; i < found.length; i++) found[i] = Double.parseDouble(all.nextToken());
        return found;
    }

    private static Map<String, Double> texts(char between, double[] values, String... parts) {
        Map<String, Double> found = new HashMap<>(2 * values.length);
        StringBuilder key = new StringBuilder();
        int i = 0;
        for (String part : parts)
            for (int at = 0; at < part.length(); at++) {
                char unit = part.charAt(at);
                if (unit != between) {
                    key.append(unit);
                    continue;
                }
                found.put(key.toString(), values[i++]);
                key.setLength(0);
            }
        return found;
    }

    private static Map<Double, Double> numbers(double[] keys, double[] values) {
        Map<Double, Double> found = new HashMap<>(2 * keys.length);
        for (int i = 0; i < keys.length; i++) found.put(keys[i] + 0.0, values[i]);
        return found;
    }

    private static double text(String text, Map<String, Double> table, double other) {
        Double found = table.get(text);
        return found == null ? other : found;
    }

    private static double among(double x, Map<Double, Double> table, double other) {
        // -0 becomes 0, which is another key
        Double found = table.get(x + 0.0);
        return found == null ? other : found;
    }

    private static Object of(Map<String, ?> record, String field) {
        Object value = record.get(field);
        if (value == null && !record.containsKey(field)) throw new RecordException(field, "a field that is there", null);
        return value;
    }

    private static double numberOf(Map<String, ?> record, String field) {
        Object value = of(record, field);
        if (value == null) return Double.NaN;
        if (!(value instanceof Number)) throw new RecordException(field, "a finite number", value);
        double number = ((Number) value).doubleValue();
        if (Double.isNaN(number)) throw new RecordException(field, "a finite number", value);
        return number;
    }

    private static String textOf(Map<String, ?> record, String field) {
        Object value = of(record, field);
        if (value == null || value instanceof String) return (String) value;
        if (value instanceof Boolean || value instanceof Integer || value instanceof Long || value instanceof Short
            || value instanceof Byte) return value.toString();
        if (value instanceof Double || value instanceof Float) {
            String text = shortest(((Number) value).doubleValue());
            if (text != null) return text;
        }
        throw new RecordException(field, "a text, number or boolean", value);
    }

    /** The shortest decimal number that is this double, as JavaScript writes it; null where that has an exponent. */
    private static String shortest(double x) {
        if (x == 0) return "0";
        if (!(Math.abs(x) < 9007199254740992.0 && Math.abs(x) >= 1e-6)) return null;
        BigDecimal exact = new BigDecimal(x);
        for (int digits = 1; digits < 18; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits));
            if (rounded.doubleValue() == x) return rounded.stripTrailingZeros().toPlainString();
        }
        return null;
    }

    /** Milliseconds since 1970-01-01 00:00 UTC; one without a zone is in UTC. */
    private static double timeOf(Map<String, ?> record, String field) {
        Object value = of(record, field);
        try {
            if (value == null) return Double.NaN;
            if (value instanceof Date) return ((Date) value).getTime();
            if (value instanceof Instant) return ((Instant) value).toEpochMilli();
            if (value instanceof OffsetDateTime) return ((OffsetDateTime) value).toInstant().toEpochMilli();
            if (value instanceof ZonedDateTime) return ((ZonedDateTime) value).toInstant().toEpochMilli();
            if (value instanceof LocalDateTime) return ((LocalDateTime) value).toInstant(ZoneOffset.UTC).toEpochMilli();
            if (value instanceof LocalDate) return ((LocalDate) value).toEpochDay() * 86400000.0;
            if (value instanceof String) {
                String text = ((String) value).replace(' ', 'T');
                if (text.indexOf('T') < 0) return LocalDate.parse(text).toEpochDay() * 86400000.0;
                if (text.matches(".*(Z|[+-]\\d\\d:?\\d\\d)$")) return OffsetDateTime.parse(text).toInstant().toEpochMilli();
                return LocalDateTime.parse(text).toInstant(ZoneOffset.UTC).toEpochMilli();
            }
        } catch (DateTimeException error) {
            throw new RecordException(field, "a date in ISO 8601", value);
        }
        throw new RecordException(field, "a date", value);
    }

    private static double part(double ms, String part) {
        if (ms != ms) return ms;
        long days = (long) Math.floor(ms / 86400000.0);
        long rest = (long) (ms - days * 86400000.0);
        LocalDate date = LocalDate.ofEpochDay(days);
        switch (part) {
            case "year": return date.getYear();
            case "quarter": return (date.getMonthValue() + 2) / 3;
            case "month": return date.getMonthValue();
            case "day": return date.getDayOfMonth();
            case "weekday": return date.getDayOfWeek().getValue();
            case "dayOfYear": return date.getDayOfYear();
            case "hour": return rest / 3600000;
            case "minute": return rest / 60000 % 60;
            default: return days;
        }
    }

    /** The bucket of MurmurHash3 of a text in UTF-8. */
    private static double hashed(String text, int buckets) {
        byte[] data = text.getBytes(StandardCharsets.UTF_8);
        int h = 0, i = 0, k = 0;
        for (; i + 4 <= data.length; i += 4) {
            h ^= mixed((data[i] & 255) | (data[i + 1] & 255) << 8 | (data[i + 2] & 255) << 16 | (data[i + 3] & 255) << 24);
            h = Integer.rotateLeft(h, 13) * 5 + 0xe6546b64;
        }
        for (int j = data.length - 1; j >= i; j--) k = k << 8 | (data[j] & 255);
        h ^= mixed(k) ^ data.length;
        h = (h ^ h >>> 16) * 0x85ebca6b;
        h = (h ^ h >>> 13) * 0xc2b2ae35;
        h ^= h >>> 16;
        return h < 0 ? -(long) h % buckets + buckets : h % buckets;
    }

    private static int mixed(int k) {
        return Integer.rotateLeft(k * 0xcc9e2d51, 15) * 0x1b873593;
    }

    private static boolean isInfinite(double x) {
        return !(x - x == 0);
    }

    /** The last edge that is not above x, or the first one. */
    private static int place(double x, double[] edges) {
        int low = 0, high = edges.length - 1;
        while (low < high) {
            int middle = (low + high + 1) / 2;
            if (x >= edges[middle]) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private static double expm1OfRest(double r) {
        double r2 = r * r;
        double r4 = r2 * r2;
        double a = 0.5 + 0.166666666666666851703837 * r;
        double b = 0.0416666666666665047591422 + 0.00833333333331652721664984 * r;
        double c = 0.00138888888889774492207962 + 0.000198412698960509205564975 * r;
        double d = 2.4801587159235472998791e-5 + 2.75572362911928827629423e-6 * r;
        double e = 2.75573911234900471893338e-7 + 2.51112930892876518610661e-8 * r;
        double low = a + b * r2 + (c + d * r2) * r4;
        double high = e + 2.08860621107283687536341e-9 * r2;
        return r + r2 * (low + high * (r4 * r4));
    }

    private static double powerOf2(int n) {
        return Double.longBitsToDouble((long) (n + 1023) << 52);
    }

    private static double exp(double x) {
        double v = x < -750 ? -750 : x > 710 ? 710 : x;
        if (v != v) return v;
        double n = v * 1.4426950408889634 + 6755399441055744.0;
        n = n - 6755399441055744.0;
        double r = v - n * 0.69314718055966295651 - n * 2.8235290563031577e-13;
        double half = n * 0.5 + 6755399441055744.0;
        half = half - 6755399441055744.0;
        return (1 + expm1OfRest(r)) * powerOf2((int) half) * powerOf2((int) (n - half));
    }

    private static double expm1(double x) {
        return x > -0.34 && x < 0.34 ? expm1OfRest(x) : exp(x) - 1;
    }

    private static double logOfRest(double f, double e) {
        double s = f / (2 + f);
        double q = s * s;
        double q2 = q * q;
        double a = 6.66666666666673513e-1 + 3.999999999940941908e-1 * q;
        double b = 2.857142874366239149e-1 + 2.222219843214978396e-1 * q;
        double c = 1.818357216161805012e-1 + 1.531383769920937332e-1 * q;
        double d = c + 1.479819860511658591e-1 * q2;
        double r = (a + b * q2 + d * (q2 * q2)) * q;
        double h = 0.5 * (f * f);
        double low = s * (h + r) + e * 1.90821492927058770002e-10;
        return e * 6.9314718036912381649e-1 - (h - low - f);
    }

    private static double ln(double x) {
        if (!(x > 0 && x < Double.POSITIVE_INFINITY)) return x == 0 ? Double.NEGATIVE_INFINITY : x > 0 ? x : Double.NaN;
        boolean isSmall = x < Double.MIN_NORMAL;
        long bits = Double.doubleToRawLongBits(isSmall ? x * 18014398509481984.0 : x);
        int e = (int) (bits >>> 52) - (isSmall ? 1077 : 1023);
        double m = Double.longBitsToDouble(bits & 0x000fffffffffffffL | 0x3ff0000000000000L);
        return m > 1.4142135623730951 ? logOfRest(m * 0.5 - 1, e + 1) : logOfRest(m - 1, e);
    }

    private static double ln1p(double x) {
        double u = 1 + x;
        double lost = x - (u - 1);
        return lost == 0 || u == x ? ln(u) : ln(u) + lost / u;
    }

    private static double sigmoid(double z) {
        double size = Math.abs(z);
        boolean isNear = size < 4;
        double t = exp(isNear ? size : -size);
        double p = (isNear ? 1 : t) / (1 + t);
        return z < 0 ? p : 1 - p;
    }

    private static double softplus(double z) {
        double t = exp(-Math.abs(z));
        double log1p = t > 0.41421356237309503 ? logOfRest((t - 1) * 0.5, 1) : logOfRest(t, 0);
        return log1p + (z > 0 ? z : 0);
    }

    private static double bounded(double z) {
        return z > 1e300 ? 1e300 : z < -1e300 ? -1e300 : z;
    }

    private static int greatest(double[] values) {
        int best = 0;
        for (int j = 1; j < values.length; j++) if (values[j] > values[best]) best = j;
        return best;
    }

    private static void softmax(double[] z, boolean isSeparate) {
        double m = z[greatest(z)], sum = 0;
        for (int j = 0; j < z.length; j++) {
            z[j] = isSeparate && m >= -37 ? sigmoid(z[j]) : exp(z[j] == m ? 0 : z[j] - m);
            sum += z[j];
        }
        for (int j = 0; j < z.length; j++) z[j] /= sum;
    }

    private static double calibratedLogit(Calibrator by, double z, double shift) {
        z = bounded(z);
        if (by != null && by.method.equals("platt")) z = by.a * z + by.b;
        if (by != null && by.method.equals("temperature")) z = z * by.a;
        if (by != null && by.method.equals("beta")) z = by.b * softplus(z) - by.a * softplus(-z) + by.c;
        return bounded(z + shift);
    }

    private static double interpolated(Calibrator by, double z) {
        double[] x = by.logits, p = by.probabilities;
        int last = x.length - 1;
        if (z != z) return z;
        if (z <= x[0]) return p[0];
        if (z >= x[last]) return p[last];
        int low = place(z, x);
        double part = (z - x[low]) / (x[low + 1] - x[low]);
        return Math.min(p[low + 1], p[low] + (p[low + 1] - p[low]) * part);
    }

    private static Calibrator calibratorOf(int k) {
        return CALIBRATORS.length == 0 ? null : CALIBRATORS[k];
    }

    /** Of the positive class of two. */
    private static double probabilityOf(double z) {
        double shift = SHIFTS.length == 0 ? 0 : SHIFTS[0];
        if (METHOD.isEmpty() && !HAS_REVIEW) return sigmoid(z);
        if (!METHOD.equals("isotonic")) return sigmoid(calibratedLogit(calibratorOf(0), z, shift));
        double p = interpolated(calibratorOf(0), z);
        if (shift == 0) return p;
        double odds = p * exp(shift);
        return odds / (odds + (1 - p));
    }

    /** Of several classes. */
    private static double[] probabilitiesOf(double[] logits) {
        double[] p = logits.clone();
        if (METHOD.isEmpty() && !HAS_REVIEW && COSTS.length == 0) {
            softmax(p, IS_SEPARATE);
            return p;
        }
        boolean isIsotonic = METHOD.equals("isotonic");
        boolean isNone = METHOD.isEmpty() || METHOD.equals("none");
        boolean isJoint = METHOD.equals("temperature") || isNone && !IS_SEPARATE;
        for (int k = 0; k < p.length; k++) {
            if (isIsotonic) p[k] = interpolated(calibratorOf(k), p[k]);
            else if (isJoint) p[k] = calibratedLogit(calibratorOf(0), p[k], SHIFTS.length == 0 ? 0 : SHIFTS[k]);
            else p[k] = calibratedLogit(calibratorOf(k), p[k], 0);
        }
        if (!isIsotonic) softmax(p, !isJoint);
        if (isIsotonic || SHIFTS.length > 0 && !isJoint) {
            double sum = 0;
            for (int k = 0; k < p.length; k++) {
                if (SHIFTS.length > 0) p[k] *= exp(SHIFTS[k]);
                sum += p[k];
            }
            for (int k = 0; k < p.length; k++) p[k] = sum == 0 ? 1.0 / p.length : p[k] / sum;
        }
        return p;
    }

    private static int decided(double[] logits, double[] p) {
        if (COSTS.length == 0) return greatest(METHOD.isEmpty() ? logits : p);
        int best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int k = 0; k < p.length; k++) {
            double cost = 0;
            for (int j = 0; j < p.length; j++) cost += p[j] * COSTS[j][k];
            if (cost < least) {
                best = k;
                least = cost;
            }
        }
        return best;
    }

    private static final String OVERFLOW = "numbers: expected ones whose terms in the logit do not overflow";

    /**
     * Scores a record: numbers, texts, booleans, dates of java.time, or null, by field.
     *
     * @throws RecordException for a record that the model refuses
     */
    public static Score score(Map<String, ?> record) {
        Row of = new Row(record);
        double[] row = of.row, logits = new double[INTERCEPT.length];
        for (int k = 0; k < logits.length; k++) {
            double z = INTERCEPT[k];
            int from = k * SLOTS;
            for (int j = 0; j < row.length; j++) {
                int slot = FIRST[j];
                z += slot < 0 ? WEIGHTS[from + ~slot + (int) row[j]] : row[j] * WEIGHTS[from + slot];
            }
            logits[k] = HAS_OFFSET ? z + of.offset : z;
        }
        Score score = new Score();
        score.defaulted = (double) of.defaulted / SOURCES;
        score.outOfRange = (double) of.outOfRange / SOURCES;
        if (POSITIVE >= 0) {
            double z = logits[0], p = probabilityOf(z);
            if (!(p >= 0)) throw new ArithmeticException(OVERFLOW);
            score.logit = z;
            score.probability = p;
            score.index = p > THRESHOLD ? POSITIVE : 1 - POSITIVE;
            score.review = HAS_REVIEW && p >= REVIEW_LOW && p <= REVIEW_HIGH;
        } else {
            double top = logits[greatest(logits)];
            int rivals = 0;
            for (double z : logits) {
                if (z != z) throw new ArithmeticException(OVERFLOW);
                if (z == top) rivals++;
            }
            if (rivals > 1 && isInfinite(top)) throw new ArithmeticException(OVERFLOW);
            double[] p = probabilitiesOf(logits);
            int k = decided(logits, p);
            score.logits = logits;
            score.probabilities = p;
            score.index = k;
            score.logit = logits[k];
            score.probability = p[k];
            score.review = HAS_REVIEW && p[greatest(p)] < REVIEW_HIGH;
        }
        score.label = CLASSES.get(score.index);
        return score;
    }
