import { LogoddsError } from '../../../../src/index.ts';
import type { GateFlags } from '../../commands/gate.ts';
import { inFlags } from '../../figures/flags.ts';
import { gatePage } from '../../report/gate.ts';
import type { ReportTarget } from '../../report/write.ts';
import { gateText } from '../../terminal/gate.ts';
import { print, printJson } from '../../terminal/print.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';
import { assertWritable, OutputFile } from '../../write/temporary.ts';
import { type GateResult, lets, runGate, says } from './gate.ts';
import { junitError, junitXml } from './junit.ts';

/** Runs `logodds gate`: prints what was found, and writes it to the files that are asked for. @returns the exit status */
export async function gateCommand(
  candidate: string,
  { json, junit, report: reportPath, ...flags }: GateFlags,
  report: ReportTarget | undefined,
  warn: (message: string) => void,
): Promise<number> {
  const inputs = [candidate, flags.against, flags.data, flags.rules];
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    if (junit !== undefined) assertWritable(junit, ...inputs, reportPath);
    if (report) assertWritable(report.path, ...inputs);
    const result = await runGate({ ...flags, candidate, warn });
    const outputs: (readonly [path: string, text: string])[] = [];
    if (junit !== undefined) outputs.push([junit, junitXml(result, { seconds: seconds(), at: new Date() })]);
    if (report) outputs.push([report.path, gatePage(result, report)]);
    writeAll(outputs);
    await remember(candidate, result, flags);
    if (json) printJson(gateJson(result));
    else print(gateText(result));
    return result.passed ? 0 : 1;
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    const { code } = error;
    const message = withoutSecrets(inFlags(error.detail, code));
    if (junit !== undefined && (code as string) !== 'ERR_OUTPUT')
      writeAll([[junit, junitError({ code, message }, { seconds: seconds(), at: new Date() })]]);
    if (json) printJson({ passed: false, error: { code, message } });
    throw error;
  }
}

/** The registry that a candidate is of knows what its gate said: who failed it is not promoted. @throws ERR_REGISTRY, ERR_STORE */
async function remember(candidate: string, result: GateResult, { against, registry: place }: GateFlags) {
  if (!candidate.startsWith('models:/') || !says(result)) return;
  const { passed, findings } = result;
  const { parseReference } = await import('../../../../registry/src/index.ts');
  const { actOf, openRegistry } = await import('../registry/open.ts');
  const registry = await openRegistry(place, { quiet: true });
  const { name, version } = await registry.resolve(parseReference(candidate));
  const other = against.startsWith('models:/') ? await registry.resolve(parseReference(against)) : null;
  const failed = [...new Set(findings.filter((finding) => !lets(finding)).map(({ rule }) => rule))];
  const act = actOf({ why: `gate against ${against}` });
  await registry.gated(name, version, { against: other?.name === name ? other.version : null, passed, failed }, act);
}

/** Files appear when all of them are complete. */
function writeAll(outputs: readonly (readonly [path: string, text: string])[]): void {
  const files = outputs.map(([path, text]) => {
    const file = new OutputFile(path);
    file.write(new TextEncoder().encode(text));
    return file;
  });
  for (const file of files) file.commit();
}

/** The object of `gate --json`. */
export const gateJson = ({ passed, ...rest }: GateResult): object => ({ passed, ...rest });
