/** Loads what reads bodies of Arrow and writes scores as such: few programs need it. */
export async function arrowBodies() {
  const [{ tableOfArrow }, { scoreArrow }] = await Promise.all([
    import('./requests/arrow/table.ts'),
    import('./responses/scoreArrow.ts'),
  ]);
  return { tableOfArrow, scoreArrow };
}
