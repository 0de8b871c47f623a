// RecordError is a record that the model refuses; Field says where.
type RecordError struct {
	Field, Rule string
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("field %q: expected %s; correct it, or use nil for a missing value", e.Field, e.Rule)
}

// Score is what the model says of a record.
type Score struct {
	Logit, Probability float64
	Label              string
	// Class is the index of the label in Classes.
	Class int
	// Review: a person should look.
	Review bool
	// Defaulted and OutOfRange are shares of the features that took a default, and that are outside the range of training.
	Defaulted, OutOfRange float64
	// Logits and Probabilities are those of each of more than two classes.
	Logits, Probabilities []float64
}

type calibrator struct {
	method                string
	a, b, c               float64
	logits, probabilities []float64
}

func pick(test bool, then, other float64) float64 {
	if test {
		return then
	}
	return other
}

func one(test bool) float64 {
	if test {
		return 1
	}
	return 0
}

func numberOf(value *float64) float64 {
	if value == nil {
		return math.NaN()
	}
	return *value
}

func textOf(value *string) (string, bool) {
	if value == nil {
		return "", false
	}
	return *value, true
}

func lookUp(table map[string]float64, text string, other float64) float64 {
	if value, ok := table[text]; ok {
		return value
	}
	return other
}

func isIn(table map[string]float64, text string) bool {
	_, ok := table[text]
	return ok
}

func among(table map[float64]float64, x, other float64) float64 {
	if value, ok := table[x]; ok {
		return value
	}
	return other
}

func isInfinite(x float64) bool { return !(x-x == 0) }

// place is the last edge that is not above x, or the first one.
func place(x float64, edges []float64) int {
	low, high := 0, len(edges)-1
	for low < high {
		middle := (low + high + 1) / 2
		if x >= edges[middle] {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

func part(ms float64, which string) float64 {
	if ms != ms {
		return ms
	}
	days := int64(math.Floor(ms / 86400000))
	rest := int64(ms - float64(days)*86400000)
	switch which {
	case "epochDays":
		return float64(days)
	case "hour":
		return float64(rest / 3600000)
	case "minute":
		return float64(rest / 60000 % 60)
	case "weekday":
		return float64(((days+3)%7+7)%7 + 1)
	}
	shifted := days + 719468
	era := quotient(shifted, 146097)
	ofEra := shifted - era*146097
	year := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*year + year/4 - year/100)
	fromMarch := (5*ofYear + 2) / 153
	month := fromMarch + 3
	if fromMarch >= 10 {
		month = fromMarch - 9
	}
	day := ofYear - (153*fromMarch+2)/5 + 1
	year += era * 400
	if month <= 2 {
		year++
	}
	switch which {
	case "year":
		return float64(year)
	case "quarter":
		return float64((month + 2) / 3)
	case "month":
		return float64(month)
	case "day":
		return float64(day)
	}
	before := year - 1
	return float64(days - (before*365 + quotient(before, 4) - quotient(before, 100) + quotient(before, 400) - 719162) + 1)
}

func quotient(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

// hashed is the bucket of MurmurHash3 of a text in UTF-8.
func hashed(text string, buckets uint32) float64 {
	data := []byte(text)
	var h uint32
	i := 0
	for ; i+4 <= len(data); i += 4 {
		h ^= mixed(uint32(data[i]) | uint32(data[i+1])<<8 | uint32(data[i+2])<<16 | uint32(data[i+3])<<24)
		h = (h<<13|h>>19)*5 + 0xe6546b64
	}
	var k uint32
	for j := len(data) - 1; j >= i; j-- {
		k = k<<8 | uint32(data[j])
	}
	h ^= mixed(k) ^ uint32(len(data))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	h ^= h >> 16
	if h&0x80000000 != 0 {
		return float64(-h%buckets) + float64(buckets)
	}
	return float64(h % buckets)
}

func mixed(k uint32) uint32 {
	k *= 0xcc9e2d51
	return (k<<15 | k>>17) * 0x1b873593
}

// A product is converted to float64 so that no compiler fuses it with the sum behind it.

func expm1OfRest(r float64) float64 {
	r2 := float64(r * r)
	r4 := float64(r2 * r2)
	a := 0.5 + float64(0.166666666666666851703837*r)
	b := 0.0416666666666665047591422 + float64(0.00833333333331652721664984*r)
	c := 0.00138888888889774492207962 + float64(0.000198412698960509205564975*r)
	d := 2.4801587159235472998791e-5 + float64(2.75572362911928827629423e-6*r)
	e := 2.75573911234900471893338e-7 + float64(2.51112930892876518610661e-8*r)
	low := a + float64(b*r2) + float64((c+float64(d*r2))*r4)
	high := e + float64(2.08860621107283687536341e-9*r2)
	return r + float64(r2*(low+float64(high*float64(r4*r4))))
}

func powerOf2(n int) float64 { return math.Float64frombits(uint64(n+1023) << 52) }

func exp(x float64) float64 {
	v := x
	if v < -750 {
		v = -750
	} else if v > 710 {
		v = 710
	} else if v != v {
		return v
	}
	n := float64(v*1.4426950408889634) + 6755399441055744.0
	n -= 6755399441055744.0
	r := v - float64(n*0.69314718055966295651) - float64(n*2.8235290563031577e-13)
	half := float64(n*0.5) + 6755399441055744.0
	half -= 6755399441055744.0
	return float64((1+expm1OfRest(r))*powerOf2(int(half))) * powerOf2(int(n-half))
}

func expm1(x float64) float64 {
	if x > -0.34 && x < 0.34 {
		return expm1OfRest(x)
	}
	return exp(x) - 1
}

func logOfRest(f, e float64) float64 {
	s := f / (2 + f)
	q := float64(s * s)
	q2 := float64(q * q)
	a := 6.66666666666673513e-1 + float64(3.999999999940941908e-1*q)
	b := 2.857142874366239149e-1 + float64(2.222219843214978396e-1*q)
	c := 1.818357216161805012e-1 + float64(1.531383769920937332e-1*q)
	d := c + float64(1.479819860511658591e-1*q2)
	r := float64((a + float64(b*q2) + float64(d*float64(q2*q2))) * q)
	h := float64(0.5 * float64(f*f))
	low := float64(s*(h+r)) + float64(e*1.90821492927058770002e-10)
	return float64(e*6.9314718036912381649e-1) - (h - low - f)
}

func ln(x float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64) {
		if x == 0 {
			return math.Inf(-1)
		}
		if x > 0 {
			return x
		}
		return math.NaN()
	}
	m, e := math.Frexp(x)
	m *= 2
	if m > 1.4142135623730951 {
		return logOfRest(float64(m*0.5)-1, float64(e))
	}
	return logOfRest(m-1, float64(e-1))
}

func ln1p(x float64) float64 {
	u := 1 + x
	lost := x - (u - 1)
	if lost == 0 || u == x {
		return ln(u)
	}
	return ln(u) + lost/u
}

func sigmoid(z float64) float64 {
	size := math.Abs(z)
	t, above := 0.0, 1.0
	if size < 4 {
		t = exp(size)
	} else {
		t = exp(-size)
		above = t
	}
	p := above / (1 + t)
	if z < 0 {
		return p
	}
	return 1 - p
}

func softplus(z float64) float64 {
	t := exp(-math.Abs(z))
	log1p := 0.0
	if t > 0.41421356237309503 {
		log1p = logOfRest(float64((t-1)*0.5), 1)
	} else {
		log1p = logOfRest(t, 0)
	}
	return log1p + pick(z > 0, z, 0)
}

func bounded(z float64) float64 { return pick(z > 1e300, 1e300, pick(z < -1e300, -1e300, z)) }

func greatest(values []float64) int {
	best := 0
	for j, value := range values {
		if value > values[best] {
			best = j
		}
	}
	return best
}

func softmax(z []float64, isSeparate bool) {
	m := z[greatest(z)]
	sum := 0.0
	for j := range z {
		switch {
		case isSeparate && m >= -37:
			z[j] = sigmoid(z[j])
		case z[j] == m:
			z[j] = 1
		default:
			z[j] = exp(z[j] - m)
		}
		sum += z[j]
	}
	for j := range z {
		z[j] /= sum
	}
}

func calibratedLogit(by *calibrator, z, shift float64) float64 {
	z = bounded(z)
	if by != nil {
		switch by.method {
		case "platt":
			z = float64(by.a*z) + by.b
		case "temperature":
			z *= by.a
		case "beta":
			z = float64(by.b*softplus(z)) - float64(by.a*softplus(-z)) + by.c
		}
	}
	return bounded(z + shift)
}

func interpolated(by *calibrator, z float64) float64 {
	x, p := by.logits, by.probabilities
	last := len(x) - 1
	switch {
	case z != z:
		return z
	case z <= x[0]:
		return p[0]
	case z >= x[last]:
		return p[last]
	}
	low := place(z, x)
	share := (z - x[low]) / (x[low+1] - x[low])
	return math.Min(p[low+1], p[low]+float64((p[low+1]-p[low])*share))
}

func shiftOf(k int) float64 {
	if len(shifts) == 0 {
		return 0
	}
	return shifts[k]
}

func calibratorOf(k int) *calibrator {
	if len(calibrators) == 0 {
		return nil
	}
	return &calibrators[k]
}

// probabilityOf is that of the positive class of two.
func probabilityOf(z float64) float64 {
	by, shift := calibratorOf(0), shiftOf(0)
	if method == "" && !hasReview {
		return sigmoid(z)
	}
	if method != "isotonic" {
		return sigmoid(calibratedLogit(by, z, shift))
	}
	p := interpolated(by, z)
	if shift == 0 {
		return p
	}
	odds := float64(p * exp(shift))
	return odds / (odds + (1 - p))
}

// probabilitiesOf are those of several classes.
func probabilitiesOf(logits []float64) []float64 {
	p := append([]float64(nil), logits...)
	if method == "" && !hasReview && len(costs) == 0 {
		softmax(p, isSeparate)
		return p
	}
	isJoint := method == "temperature" || ((method == "" || method == "none") && !isSeparate)
	for k, z := range logits {
		switch {
		case method == "isotonic":
			p[k] = interpolated(calibratorOf(k), z)
		case isJoint:
			p[k] = calibratedLogit(calibratorOf(0), z, shiftOf(k))
		default:
			p[k] = calibratedLogit(calibratorOf(k), z, 0)
		}
	}
	if method != "isotonic" {
		softmax(p, !isJoint)
	}
	if method == "isotonic" || (len(shifts) > 0 && !isJoint) {
		sum := 0.0
		for k := range p {
			if len(shifts) > 0 {
				p[k] *= exp(shifts[k])
			}
			sum += p[k]
		}
		for k := range p {
			if sum == 0 {
				p[k] = 1 / float64(len(p))
			} else {
				p[k] /= sum
			}
		}
	}
	return p
}

func decided(logits, p []float64) int {
	if len(costs) == 0 {
		if method == "" {
			return greatest(logits)
		}
		return greatest(p)
	}
	best, least := 0, math.Inf(1)
	for k := range p {
		cost := 0.0
		for j := range p {
			cost += float64(p[j] * costs[j][k])
		}
		if cost < least {
			best, least = k, cost
		}
	}
	return best
}

var errOverflow = errors.New("numbers: expected ones whose terms in the logit do not overflow")

// ScoreOf scores a record. It fails with a *RecordError for a record that the model refuses.
func ScoreOf(record *Record) (Score, error) {
	var row [columns]float64
	var score Score
	offset, err := encode(record, &row, &score)
	if err != nil {
		return Score{}, err
	}
	var logits [vectors]float64
	for k := range logits {
		z := intercept[k]
		w := weights[k*slots : (k+1)*slots]
		for j, slot := range first {
			if slot < 0 {
				z += w[^slot+int(row[j])]
			} else {
				z += float64(row[j] * w[slot])
			}
		}
		if hasOffset {
			z += offset
		}
		logits[k] = z
	}
	if positive >= 0 {
		z := logits[0]
		p := probabilityOf(z)
		if !(p >= 0) {
			return Score{}, errOverflow
		}
		score.Logit, score.Probability, score.Class = z, p, 1-positive
		if p > threshold {
			score.Class = positive
		}
		score.Review = hasReview && p >= reviewLow && p <= reviewHigh
	} else {
		top := logits[greatest(logits[:])]
		rivals, isKnown := 0, true
		for _, z := range logits {
			if z == top {
				rivals++
			}
			isKnown = isKnown && z == z
		}
		if !isKnown || (rivals > 1 && isInfinite(top)) {
			return Score{}, errOverflow
		}
		score.Logits = append([]float64(nil), logits[:]...)
		score.Probabilities = probabilitiesOf(score.Logits)
		score.Class = decided(score.Logits, score.Probabilities)
		score.Logit, score.Probability = logits[score.Class], score.Probabilities[score.Class]
		score.Review = hasReview && score.Probabilities[greatest(score.Probabilities)] < reviewHigh
	}
	score.Label = Classes[score.Class]
	return score, nil
}
