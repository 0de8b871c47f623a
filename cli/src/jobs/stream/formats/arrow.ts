import { arrowBodies } from '../../../../../service/src/index.ts';
import { LogoddsError, pickEngine } from '../../../../../src/index.ts';
import { fieldsOf } from '../../../../../src/stages.ts';
import { reason } from '../../../write/temporary.ts';
import { bytesOf, type Format, type FormatOf, type Logging, type ModelInUse, type Result, whole } from './format.ts';

/** An Arrow IPC stream of records in, one of their scores out, as the service answers: p_CLASS, label, logit, defaulted. */
export async function arrowFormats(): Promise<FormatOf> {
  const { tableOfArrow, scoreArrow } = await arrowBodies();
  return ({ model }: ModelInUse): Format => {
    const fields = fieldsOf(model);
    const scorer = model.scorer(pickEngine());
    const one = (payload: Buffer, of: number, log: Logging | null): Result => {
      try {
        const table = tableOfArrow(fields, payload);
        const scores = scorer.score(table);
        const { logits, probabilities, labels, rows: count } = scores;
        // the next message is written into the same memory
        log?.({
          of,
          rows: { kind: 'table', table },
          logits: logits.slice(),
          probabilities: probabilities.slice(),
          labels: labels.slice(),
          count,
          refused: [],
        });
        return whole(Buffer.from(scoreArrow({ model: model as never }, { scores })));
      } catch (error) {
        if (error instanceof LogoddsError) return error;
        // what cannot be read
        if ((error as { status?: number }).status !== 400) throw error;
        return new LogoddsError('ERR_DATA', reason(error).replace(/^body/, 'message'));
      }
    };
    return {
      score: (payloads, log) => payloads.map((payload, i) => one(bytesOf(payload), i, log)),
      free: () => scorer.free(),
    };
  };
}
