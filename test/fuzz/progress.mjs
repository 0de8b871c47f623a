/** Steps that are told where standard error is no terminal, as in the log of a run that goes on without one. */
const STEPS = 20;
const TERMINAL_MS = 500;

/**
 * Says on standard error how far a run from `from` to `to` is. Returns what is called with each index: a line that is written over on a terminal, else a
 * line each twentieth. Runs of fewer than 10,000 say nothing.
 * @param more  what else is known of the run so far
 */
export function progressOf(from, to, more = () => '') {
  const { stderr } = process;
  if (to - from < 10_000) return () => {};
  const begin = performance.now();
  const tell = (index, end) => {
    const each = (performance.now() - begin) / Math.max(1, index - from);
    const left = Math.round((each * (to - index)) / 1000);
    stderr.write(
      `${stderr.isTTY ? '\r' : ''}${index - from} of ${to - from}, about ${left} s left ${more()}${index === to - 1 ? '\n' : end}`,
    );
  };
  const step = Math.ceil((to - from) / STEPS);
  let last = begin;
  return (index) => {
    if (!stderr.isTTY) {
      if ((index - from) % step === step - 1) tell(index, '\n');
      return;
    }
    if (index % 100 > 0 && index < to - 1) return;
    const now = performance.now();
    if (now - last < TERMINAL_MS && index < to - 1) return;
    last = now;
    tell(index, '');
  };
}
