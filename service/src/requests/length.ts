/** The length of its body that a request says; null: it says none, or no number of bytes. */
export function lengthOf({ headers }: Request): number | null {
  const said = headers.get('content-length');
  return said !== null && /^\d+$/.test(said) ? Number(said) : null;
}
