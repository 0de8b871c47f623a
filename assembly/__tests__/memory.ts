/*
 * What the specs share: buffers padded as the kernels expect them, and comparison by relative error.
 * A buffer is a StaticArray (its payload is 16-byte aligned); `at` is its address.
 */

/** n f64, padded to a multiple of four with zeros */
export function f64s(values: f64[]): StaticArray<f64> {
  const out = new StaticArray<f64>((values.length + 3) & ~3);
  for (let i = 0; i < values.length; i++) out[i] = values[i];
  return out;
}

/** n f32, padded to a multiple of four with zeros */
export function f32s(values: f32[]): StaticArray<f32> {
  const out = new StaticArray<f32>((values.length + 3) & ~3);
  for (let i = 0; i < values.length; i++) out[i] = values[i];
  return out;
}

/** n codes of type C, padded to a whole vector with zeros */
export function codes<C>(values: i32[]): StaticArray<C> {
  const out = new StaticArray<C>((values.length + 15) & ~15);
  for (let i = 0; i < values.length; i++) out[i] = <C>values[i];
  return out;
}

// @ts-ignore: decorator
@inline
export function at<T>(array: T): usize {
  return changetype<usize>(array);
}

/** the error of `actual` in units of the last place of `expected` (the distance to the next larger double) */
export function ulps(actual: f64, expected: f64): f64 {
  if (actual == expected) return 0;
  const magnitude = abs(expected);
  const next = reinterpret<f64>(reinterpret<u64>(magnitude) + 1);
  return abs(actual - expected) / (next - magnitude);
}

/** within `relative` of `expected`, or below 1e-300 where zero is expected */
export function near(actual: f64, expected: f64, relative: f64): bool {
  return abs(actual - expected) <= (expected == 0 ? 1e-300 : relative * abs(expected));
}
