import {
  type CoefficientDifference,
  type Compared,
  diffModels,
  type ModelDifference,
} from '../../../../registry/src/diff.ts';
import { loadModel, type Model } from '../../../../src/index.ts';
import { figure, significant, word } from '../../figures/wording.ts';
import { metricsOfModel } from '../../jobs/registry/facts.ts';
import { fetchModel } from '../../jobs/registry/fetch.ts';
import { readModel } from '../../read/files.ts';
import { facts, table } from '../../terminal/layout.ts';
import { print, printJson } from '../../terminal/print.ts';

interface DiffFlags {
  readonly registry?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Coefficients that are printed unless all are asked for. */
const SHOWN = 40;

/** Runs `registry diff`. */
export async function diff(a: string, b: string, { registry, all, json }: DiffFlags): Promise<void> {
  const found = diffModels(await compared(a, registry), await compared(b, registry));
  if (json) printJson({ a, b, ...found });
  else print(diffText(a, b, found, all ? Number.POSITIVE_INFINITY : SHOWN));
}

/** The registry knows the library by its name, whose types are those of the build; in the command both are one. */
const asPublished = (model: Model) => model as unknown as Compared['model'];

async function compared(given: string, registry: string | undefined): Promise<Compared> {
  if (!given.startsWith('models:/')) {
    const model = readModel(given);
    return { model: asPublished(model), metrics: metricsOfModel(model) };
  }
  const { version, bytes } = await fetchModel(given, registry);
  const { metrics, lineage } = version;
  return { model: asPublished(loadModel(bytes)), metrics, lineage };
}

function diffText(a: string, b: string, found: ModelDifference, most: number): string {
  const { sentence, schema, settings, metrics, independence } = found;
  const lines = [
    ...(schema.added.length > 0 ? [['new features', schema.added.map(word).join(', ')] as const] : []),
    ...(schema.removed.length > 0 ? [['gone features', schema.removed.map(word).join(', ')] as const] : []),
    ...schema.changed.map(
      ({ feature, rules, addedLevels, removedLevels }) =>
        [
          `feature ${feature}`,
          [
            ...rules.map(({ field, from, to }) => `${field} ${cell(from)} → ${cell(to)}`),
            addedLevels.length > 0 && `new levels ${few(addedLevels)}`,
            removedLevels.length > 0 && `gone levels ${few(removedLevels)}`,
          ]
            .filter(Boolean)
            .join('; '),
        ] as const,
    ),
    ...settings.map(({ field, from, to }) => [field, `${cell(from)} → ${cell(to)}`] as const),
  ];
  const parts = [`${sentence}\n  A  ${word(a)}\n  B  ${word(b)}`];
  if (lines.length > 0) parts.push(facts(lines));
  if (metrics.length > 0)
    parts.push(
      table([
        ['metric', 'A', 'B', 'B − A'],
        ...metrics.map(({ metric, ...one }) => [
          metric,
          significant(one.a),
          significant(one.b),
          one.difference === null ? '–' : signed(one.difference),
        ]),
      ]),
    );
  const changed = found.coefficients.filter(
    ({ difference, a: from, b: to }) => difference !== 0 || from === null || to === null,
  );
  if (changed.length > 0) parts.push(coefficientText(changed, most));
  const same = found.coefficients.length - changed.length;
  if (same > 0) parts.push(`  ${same} ${same === 1 ? 'coefficient is' : 'coefficients are'} the same`);
  if (independence !== null) parts.push(`  ${independence}`);
  return `${parts.join('\n\n')}\n`;
}

function coefficientText(changed: readonly CoefficientDifference[], most: number): string {
  const classes = new Set(changed.map((line) => line.class));
  const shown = changed.slice(0, most);
  const hasErrors = shown.some(({ stdError }) => stdError !== null);
  const rows = shown.map((line) => {
    const label = line.level === null ? line.feature : `${line.feature} = ${line.level}`;
    const { standardized } = line;
    return [
      classes.size > 1 ? `${line.class}: ${label}` : label,
      significant(line.a, 4),
      significant(line.b, 4),
      signed(line.difference),
      ...(hasErrors ? [significant(line.stdError, 3), figure(line.z, 2)] : []),
      standardized === null ? '–' : signed(standardized.difference),
      `${significant(line.oddsRatioA, 4)} → ${significant(line.oddsRatioB, 4)}`,
    ];
  });
  const head = [
    'coefficient',
    'A',
    'B',
    'B − A',
    ...(hasErrors ? ['std. error', 'z'] : []),
    'B − A, per sd',
    'odds ratio',
  ];
  const more =
    changed.length > shown.length
      ? `\n  and ${changed.length - shown.length} more that changed less: --all prints them`
      : '';
  return `${table([head, ...rows])}${more}`;
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${significant(value, 4)}`;
const few = (all: readonly string[]): string =>
  `${all.slice(0, 8).map(word).join(', ')}${all.length > 8 ? ` and ${all.length - 8} more` : ''}`;

/** A value of the manifest, cut to what a line can have. */
function cell(value: unknown): string {
  const text =
    typeof value === 'number' ? significant(value) : typeof value === 'string' ? value : JSON.stringify(value);
  return word(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
