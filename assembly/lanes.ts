/** Two f64 lanes from two neighbouring values of storage S (f32, widened, or f64). */
// @ts-ignore: decorator
@inline
export function load2<S>(p: usize): v128 {
  return sizeof<S>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(p)) : v128.load(p);
}
