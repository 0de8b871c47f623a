class RecordError(ValueError):
    """A record that the model refuses; `field` says where."""

    def __init__(self, field, rule, value):
        super().__init__(f"field {field!r}: expected {rule}, got {value!r}; correct it, or use None for a missing value")
        self.field = field


def _of(record, field):
    try:
        return record[field]
    except (KeyError, TypeError):
        raise RecordError(field, "a field that is there", None) from None


def _number(record, field):
    value = _of(record, field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RecordError(field, "a finite number", value)
    return float(value)


def _text(record, field):
    value = _of(record, field)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value == value and abs(value) < 2.0**53:
        text = repr(value)
        if "e" not in text:
            return "0" if value == 0 else text[:-2] if text.endswith(".0") else text
    raise RecordError(field, "a text, number or boolean", value)


def _time(record, field):
    """Milliseconds since 1970-01-01 00:00 UTC of a date, or of a text in ISO 8601."""
    value = _of(record, field)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = _datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise RecordError(field, "a date in ISO 8601", value) from None
    if isinstance(value, _datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=_datetime.timezone.utc)
        past = moment - _datetime.datetime(1970, 1, 1, tzinfo=_datetime.timezone.utc)
        return float(past // _datetime.timedelta(milliseconds=1))
    if isinstance(value, _datetime.date):
        return float((value - _datetime.date(1970, 1, 1)).days * 86400000)
    raise RecordError(field, "a date", value)


def _part(ms, part):
    days = int(ms // 86400000)
    rest = ms - days * 86400000
    if part == "epochDays":
        return float(days)
    if part == "hour":
        return float(int(rest // 3600000))
    if part == "minute":
        return float(int(rest // 60000) % 60)
    if part == "weekday":
        return float((days + 3) % 7 + 1)
    year, month, day = _civil(days)
    if part == "year":
        return float(year)
    if part == "quarter":
        return float((month + 2) // 3)
    if part == "month":
        return float(month)
    if part == "day":
        return float(day)
    before = year - 1
    return float(days - (before * 365 + before // 4 - before // 100 + before // 400 - 719162) + 1)


def _civil(days):
    shifted = days + 719468
    era = shifted // 146097
    day = shifted - era * 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    of_year = day - (365 * year + year // 4 - year // 100)
    from_march = (5 * of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    return year + era * 400 + (0 if month > 2 else 1), month, of_year - (153 * from_march + 2) // 5 + 1


def _hashed(text, buckets):
    h = _murmur3(text.encode("utf-8", "replace"))
    return abs(h) % buckets + (buckets if h < 0 else 0)


def _murmur3(data):
    h = 0
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        h ^= _mixed(int.from_bytes(data[i : i + 4], "little"))
        h = ((h << 13 | h >> 19) * 5 + 0xE6546B64) & 0xFFFFFFFF
    h ^= _mixed(int.from_bytes(data[whole:], "little")) ^ len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    h ^= h >> 16
    return h - 0x100000000 if h >= 0x80000000 else h


def _mixed(k):
    k = k * 0xCC9E2D51 & 0xFFFFFFFF
    return (k << 15 | k >> 17) * 0x1B873593 & 0xFFFFFFFF


def _step(x, edges, values):
    return values[min(max(_bisect.bisect_right(edges, x) - 1, 0), len(values) - 1)]


def _exp(x):
    v = -750.0 if x < -750 else 710.0 if x > 710 else x
    n = v * 1.4426950408889634 + 6755399441055744.0 - 6755399441055744.0
    if n != n:
        return n
    r = v - n * 0.69314718055966295651 - n * 2.8235290563031577e-13
    half = n * 0.5 + 6755399441055744.0 - 6755399441055744.0
    return (1 + _expm1_of_rest(r)) * 2.0 ** int(half) * 2.0 ** int(n - half)


def _expm1_of_rest(r):
    r2 = r * r
    r4 = r2 * r2
    a = 0.5 + 0.166666666666666851703837 * r
    b = 0.0416666666666665047591422 + 0.00833333333331652721664984 * r
    c = 0.00138888888889774492207962 + 0.000198412698960509205564975 * r
    d = 2.4801587159235472998791e-5 + 2.75572362911928827629423e-6 * r
    e = 2.75573911234900471893338e-7 + 2.51112930892876518610661e-8 * r
    low = a + b * r2 + (c + d * r2) * r4
    high = e + 2.08860621107283687536341e-9 * r2
    return r + r2 * (low + high * (r4 * r4))


def _expm1(x):
    return _expm1_of_rest(x) if -0.34 < x < 0.34 else _exp(x) - 1


def _log_of_rest(f, e):
    s = f / (2 + f)
    q = s * s
    q2 = q * q
    a = 6.66666666666673513e-1 + 3.999999999940941908e-1 * q
    b = 2.857142874366239149e-1 + 2.222219843214978396e-1 * q
    c = 1.818357216161805012e-1 + 1.531383769920937332e-1 * q
    d = c + 1.479819860511658591e-1 * q2
    r = (a + b * q2 + d * (q2 * q2)) * q
    h = 0.5 * (f * f)
    low = s * (h + r) + e * 1.90821492927058770002e-10
    return e * 6.9314718036912381649e-1 - (h - low - f)


def _log1p01(t):
    """log(1 + t) for t from 0 to 1"""
    return _log_of_rest((t - 1) * 0.5, 1) if t > 0.41421356237309503 else _log_of_rest(t, 0)


def _ln(x):
    if not 0 < x < _math.inf:
        return -_math.inf if x == 0 else x if x > 0 else _math.nan
    m, e = _math.frexp(x)
    m, e = m * 2, e - 1
    return _log_of_rest(m * 0.5 - 1, e + 1) if m > 1.4142135623730951 else _log_of_rest(m - 1, e)


def _ln1p(x):
    u = 1 + x
    lost = x - (u - 1)
    return _ln(u) if lost == 0 or u == x else _ln(u) + lost / u


def _sigmoid(z):
    size = abs(z)
    near = size < 4
    t = _exp(size if near else -size)
    p = (1 if near else t) / (1 + t)
    return p if z < 0 else 1 - p


def _softplus(z):
    return _log1p01(_exp(-abs(z))) + (z if z > 0 else 0)


def _bounded(z):
    return 1e300 if z > 1e300 else -1e300 if z < -1e300 else z


def _greatest(values):
    best = 0
    for j in range(1, len(values)):
        if values[j] > values[best]:
            best = j
    return best


def _softmax(z, separate):
    m = z[_greatest(z)]
    apart = separate and m >= -37
    powers = [_sigmoid(v) if apart else _exp(0.0 if v == m else v - m) for v in z]
    total = 0.0
    for power in powers:
        total += power
    return [power / total for power in powers]


def _calibrated_logit(calibrator, z, shift):
    z = _bounded(z)
    if calibrator is not None:
        method, *of = calibrator
        if method == "platt":
            z = of[0] * z + of[1]
        elif method == "temperature":
            z = z * of[0]
        else:
            z = of[1] * _softplus(z) - of[0] * _softplus(-z) + of[2]
    return _bounded(z + shift)


def _interpolated(calibrator, z):
    _, logits, probabilities = calibrator
    if not z > logits[0]:
        return probabilities[0] if z == z else z
    if z >= logits[-1]:
        return probabilities[-1]
    low = _bisect.bisect_right(logits, z) - 1
    part = (z - logits[low]) / (logits[low + 1] - logits[low])
    return min(probabilities[low + 1], probabilities[low] + (probabilities[low + 1] - probabilities[low]) * part)


def _probability(z):
    """of the positive class of two"""
    calibrator = _CALIBRATORS[0] if _CALIBRATORS else None
    shift = _SHIFT[0] if _SHIFT else 0.0
    if _METHOD is None and _REVIEW is None:
        return _sigmoid(z)
    if calibrator is None or calibrator[0] != "isotonic":
        return _sigmoid(_calibrated_logit(calibrator, z, shift))
    p = _interpolated(calibrator, z)
    odds = p * _exp(shift)
    return p if shift == 0 else odds / (odds + (1 - p))


def _probabilities(logits):
    """of several classes"""
    if _METHOD is None and _REVIEW is None and _COSTS is None:
        return _softmax(logits, _OVR)
    method = _METHOD or "none"
    joint = method == "temperature" or (method == "none" and not _OVR)
    p = []
    for k, z in enumerate(logits):
        calibrator = None if method == "none" else _CALIBRATORS[0 if joint else k]
        shift = _SHIFT[k] if joint and _SHIFT else 0.0
        p.append(_interpolated(calibrator, z) if method == "isotonic" else _calibrated_logit(calibrator, z, shift))
    if method != "isotonic":
        p = _softmax(p, not joint)
    if method == "isotonic" or (_SHIFT and not joint):
        if _SHIFT:
            p = [v * _exp(shift) for v, shift in zip(p, _SHIFT)]
        total = 0.0
        for v in p:
            total += v
        p = [1 / len(p) if total == 0 else v / total for v in p]
    return p


def _decided(logits, p):
    if _COSTS is None:
        return _greatest(p if _METHOD is not None else logits)
    best, least = 0, _math.inf
    for k in range(len(p)):
        cost = 0.0
        for j in range(len(p)):
            cost += p[j] * _COSTS[j][k]
        if cost < least:
            best, least = k, cost
    return best


def _logit(row, k):
    z = _INTERCEPT[k]
    first = k * _SLOTS
    for value, slot in zip(row, _FIRST):
        z += _WEIGHTS[first + ~slot + value] if slot < 0 else value * _WEIGHTS[first + slot]
    return z


def score(record):
    """The score of a record, a mapping with the fields of FIELDS: logit, probability, label, defaulted, outOfRange, as logodds gives them."""
    row, offset, defaulted, outside = _encoded(record)
    logits = [_logit(row, k) + offset if _HAS_OFFSET else _logit(row, k) for k in range(len(_INTERCEPT))]
    if _POSITIVE is not None:
        z = logits[0]
        p = _probability(z)
        known = p >= 0
        label = CLASSES[_POSITIVE if p > _THRESHOLD else 1 - _POSITIVE]
        found = {"logit": z, "probability": p, "label": label}
        review = _REVIEW is not None and _REVIEW[0] <= p <= _REVIEW[1]
    else:
        top = logits[_greatest(logits)]
        # several infinite ones have overflowed and cannot be told apart
        known = not (_math.isinf(top) and logits.count(top) > 1) and not any(z != z for z in logits)
        p = _probabilities(logits) if known else []
        k = _decided(logits, p) if known else 0
        found = {"logit": logits[k], "probability": p[k], "label": CLASSES[k], "logits": logits, "probabilities": p} if known else {}
        review = known and _REVIEW is not None and p[_greatest(p)] < _REVIEW[1]
    if not known:
        raise RecordError(FIELDS[0] if FIELDS else "record", "numbers whose terms in the logit do not overflow", None)
    found.update(defaulted=defaulted / _SOURCES, outOfRange=outside / _SOURCES)
    if _REVIEW is not None:
        found["review"] = review
    return found


def probability(record):
    """The probability of the score of a record."""
    return score(record)["probability"]
