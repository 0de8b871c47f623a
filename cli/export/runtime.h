enum { lr_none, lr_platt, lr_beta, lr_temperature, lr_isotonic };

static inline double lr_infinity(void) {
  union { uint64_t bits; double value; } of;
  of.bits = 0x7ff0000000000000u;
  return of.value;
}

static inline double lr_power_of_2(int n) {
  union { uint64_t bits; double value; } of;
  of.bits = (uint64_t)(n + 1023) << 52;
  return of.value;
}

static inline double lr_expm1_of_rest(double r) {
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

static inline double lr_exp(double x) {
  double v = x < -750 ? -750 : x > 710 ? 710 : x;
  double n, r, half;
  if (v != v) return v;
  n = v * 1.4426950408889634 + 6755399441055744.0;
  n = n - 6755399441055744.0;
  r = v - n * 0.69314718055966295651 - n * 2.8235290563031577e-13;
  half = n * 0.5 + 6755399441055744.0;
  half = half - 6755399441055744.0;
  return (1 + lr_expm1_of_rest(r)) * lr_power_of_2((int)half) * lr_power_of_2((int)(n - half));
}

static inline double lr_expm1(double x) { return x > -0.34 && x < 0.34 ? lr_expm1_of_rest(x) : lr_exp(x) - 1; }

static inline double lr_log_of_rest(double f, double e) {
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

static inline double lr_ln(double x) {
  union { uint64_t bits; double value; } of;
  int e, big;
  if (!(x > 0 && x < lr_infinity())) return x == 0 ? -lr_infinity() : x > 0 ? x : x - x + (0 * lr_infinity());
  of.value = x < 2.2250738585072014e-308 ? x * 18014398509481984.0 : x;
  e = (int)(of.bits >> 52) - (x < 2.2250738585072014e-308 ? 1077 : 1023);
  of.bits = (of.bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
  big = of.value > 1.4142135623730951;
  return lr_log_of_rest(big ? of.value * 0.5 - 1 : of.value - 1, (double)(e + big));
}

static inline double lr_ln1p(double x) {
  double u = 1 + x;
  double lost = x - (u - 1);
  return lost == 0 || u == x ? lr_ln(u) : lr_ln(u) + lost / u;
}

/* rounded once, as IEEE 754 asks */
static inline double lr_sqrt(double x) {
  union { uint64_t bits; double value; } of;
  uint64_t m, root = 0, bit, rest = 0;
  int e, i;
  if (!(x > 0 && x < lr_infinity())) return x == 0 || x > 0 ? x : x - x + (0 * lr_infinity());
  of.value = x < 2.2250738585072014e-308 ? x * 18014398509481984.0 : x;
  e = (int)(of.bits >> 52) - 1023 - (x < 2.2250738585072014e-308 ? 54 : 0);
  m = (of.bits & 0x000fffffffffffffu) | 0x0010000000000000u;
  if (e & 1) {
    m <<= 1;
    e -= 1;
  }
  /* the root of m, with a bit more than a double has, two bits of m at a time */
  for (i = 0; i < 54; i++) {
    rest = (rest << 2) | (i < 27 ? (m >> (52 - 2 * i)) & 3 : 0);
    bit = (root << 2) | 1;
    root <<= 1;
    if (rest >= bit) {
      rest -= bit;
      root |= 1;
    }
  }
  root = (root >> 1) + (root & 1);
  of.bits = ((uint64_t)(e / 2 + 1023) << 52) + (root - 0x0010000000000000u);
  return of.value;
}

static inline double lr_sigmoid(double z) {
  double size = z < 0 ? -z : z;
  int near = size < 4;
  double t = lr_exp(near ? size : -size);
  double p = (near ? 1 : t) / (1 + t);
  return z < 0 ? p : 1 - p;
}

static inline double lr_softplus(double z) {
  double t = lr_exp(z < 0 ? z : -z);
  double log1p = t > 0.41421356237309503 ? lr_log_of_rest((t - 1) * 0.5, 1) : lr_log_of_rest(t, 0);
  return log1p + (z > 0 ? z : 0);
}

static inline double lr_bounded(double z) { return z > 1e300 ? 1e300 : z < -1e300 ? -1e300 : z; }

static inline int lr_greatest(const double *values, int n) {
  int best = 0, j;
  for (j = 1; j < n; j++)
    if (values[j] > values[best]) best = j;
  return best;
}

static inline void lr_softmax(double *z, int n, int separate) {
  double m = z[lr_greatest(z, n)], sum = 0;
  int apart = separate && m >= -37, j;
  for (j = 0; j < n; j++) {
    z[j] = apart ? lr_sigmoid(z[j]) : lr_exp(z[j] == m ? 0 : z[j] - m);
    sum += z[j];
  }
  for (j = 0; j < n; j++) z[j] /= sum;
}

/* steps of a double from one multiple of its edges to the next: the last edge that is not above x */
static inline int lr_place(double x, const double *edges, int n) {
  int low = 0, high = n - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (x >= edges[middle]) low = middle;
    else high = middle - 1;
  }
  return low;
}

static inline double lr_among(double x, const double *keys, const double *values, int n, double other) {
  int at = n > 0 ? lr_place(x, keys, n) : -1;
  return at >= 0 && keys[at] == x ? values[at] : other;
}

static inline int lr_compare(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

/* keys are sorted by their bytes; -1: it is none of them */
static inline int lr_find(const char *text, const char *const *keys, int n) {
  int low = 0, high = n - 1;
  while (low <= high) {
    int middle = (low + high) / 2;
    int order = lr_compare(text, keys[middle]);
    if (order == 0) return middle;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return -1;
}

static inline double lr_text(const char *text, const char *const *keys, const double *values, int n, double other) {
  int at = lr_find(text, keys, n);
  return at < 0 ? other : values[at];
}

static inline uint32_t lr_mixed(uint32_t k) {
  k *= 0xcc9e2d51u;
  return ((k << 15) | (k >> 17)) * 0x1b873593u;
}

/* the bucket of MurmurHash3 of a text in UTF-8 */
static inline double lr_hashed(const char *text, int buckets) {
  const unsigned char *at = (const unsigned char *)text;
  uint32_t h = 0, k = 0, length = 0;
  for (; *at; at++) {
    k |= (uint32_t)*at << (8 * (length & 3));
    if ((++length & 3) == 0) {
      h ^= lr_mixed(k);
      h = ((h << 13) | (h >> 19)) * 5 + 0xe6546b64u;
      k = 0;
    }
  }
  h ^= lr_mixed(k) ^ length;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  h ^= h >> 16;
  return h & 0x80000000u ? (double)((0u - h) % (uint32_t)buckets) + buckets : (double)(h % (uint32_t)buckets);
}

static inline int64_t lr_quotient(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static inline double lr_floor(double x) {
  double whole = (double)(int64_t)x;
  return whole > x ? whole - 1 : whole;
}

enum { lr_year, lr_quarter, lr_month, lr_day, lr_weekday, lr_dayOfYear, lr_hour, lr_minute, lr_epochDays };

static inline double lr_part(double ms, int part) {
  int64_t days = (int64_t)lr_floor(ms / 86400000.0);
  double rest = ms - (double)days * 86400000.0;
  int64_t shifted = days + 719468, era = lr_quotient(shifted, 146097), of_era = shifted - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t from_march = (5 * of_year + 2) / 153, month = from_march < 10 ? from_march + 3 : from_march - 9, before;
  int64_t day = of_year - (153 * from_march + 2) / 5 + 1;
  year += era * 400 + (month > 2 ? 0 : 1);
  before = year - 1;
  switch (part) {
    case lr_year: return (double)year;
    case lr_quarter: return (double)((month + 2) / 3);
    case lr_month: return (double)month;
    case lr_day: return (double)day;
    case lr_weekday: return (double)(((days + 3) % 7 + 7) % 7 + 1);
    case lr_dayOfYear:
      return (double)(days - (before * 365 + lr_quotient(before, 4) - lr_quotient(before, 100) + lr_quotient(before, 400) - 719162) + 1);
    case lr_hour: return lr_floor(rest / 3600000.0);
    case lr_minute: return (double)((int64_t)lr_floor(rest / 60000.0) % 60);
    default: return (double)days;
  }
}

struct lr_calibrator {
  int method;
  double a, b, c;
  const double *logits, *probabilities;
  int points;
};

static inline double lr_calibrated_logit(const struct lr_calibrator *by, double z, double shift) {
  z = lr_bounded(z);
  if (by && by->method == lr_platt) z = by->a * z + by->b;
  if (by && by->method == lr_temperature) z = z * by->a;
  if (by && by->method == lr_beta) z = by->b * lr_softplus(z) - by->a * lr_softplus(-z) + by->c;
  return lr_bounded(z + shift);
}

static inline double lr_interpolated(const struct lr_calibrator *by, double z) {
  const double *x = by->logits, *p = by->probabilities;
  int last = by->points - 1, low;
  double part, found;
  if (z != z) return z;
  if (z <= x[0]) return p[0];
  if (z >= x[last]) return p[last];
  low = lr_place(z, x, by->points);
  part = (z - x[low]) / (x[low + 1] - x[low]);
  found = p[low] + (p[low + 1] - p[low]) * part;
  return found < p[low + 1] ? found : p[low + 1];
}
