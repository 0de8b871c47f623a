import type { Core, Description } from '../core.ts';
import { inPath, json, operation, plain, refusals } from '../pages/api/operations.ts';
import { object, ref } from '../pages/api/schemas.ts';
import { callerOf, sightOf } from '../requests/caller.ts';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const listOf = (items: object) => ({ type: 'array', items });

/** The first model that was watched and that the caller may read. */
async function subjectOf({ shelf, watch }: Core, request: Request): Promise<string | undefined> {
  const caller = callerOf(request);
  for (const { name } of shelf.all(sightOf(request)).slice(0, 10))
    if ((!caller || caller.may('read', name)) && (await watch!.report(name))) return name;
  return undefined;
}

export async function describeWatch(core: Core, request: Request): Promise<Description> {
  const counts = {
    rows: { ...count, description: 'scored or refused' },
    refused: count,
    left: { ...count, description: 'of requests that the sample leaves out' },
    unread: { ...count, description: 'watched without their inputs' },
  };
  return {
    tags: { watch: 'What drifted, and how good the scores are once labels come' },
    schemas: {
      Watched: object({
        model: text,
        at: { type: 'string', format: 'date-time' },
        sample: { type: 'number', minimum: 0, maximum: 1, description: 'share of the requests that are watched' },
        versions: listOf(
          object({
            name: text,
            version: text,
            sha256: text,
            route: { type: ['string', 'null'], description: 'the arm of a rollout; null: there was none' },
            counts: object(counts),
            watch: {
              type: 'object',
              description:
                'as ModelWatch.report of logodds/monitor: windows with drift and performance, changes, label delay, notes',
            },
          }),
        ),
        notes: listOf(object({ what: text, count })),
      }),
    },
    paths: {
      '/watch': {
        get: operation({
          id: 'watchPage',
          summary: 'A page of what was watched',
          tag: 'watch',
          answer: 'the page',
          answers: plain('text/html'),
        }),
      },
      '/models/{model}/watch': {
        get: operation({
          id: 'watched',
          summary: 'Drift and performance of a model, by version and arm of a rollout',
          tag: 'watch',
          parameters: [inPath('model', 'name of a model', await subjectOf(core, request))],
          answer: 'what was seen, in all processes',
          answers: json(ref('Watched')),
          refused: refusals(404, 503),
        }),
      },
    },
  };
}
