/** The page of `drift --report`: no script and no external address, as that of `train`. */
import { distributionsOf, type FeatureDrift, scoreDistribution } from '../../../src/monitor.ts';
import { domainText, rankedFeatures, ruleText, scoreText, sideText, testOf, verdictOf } from '../figures/drift.ts';
import { brief, counted, percent, pValue, sentence, signed, significant, whole } from '../figures/wording.ts';
import { type DriftResult, driftedOf } from '../jobs/drift/options.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import type { Origin } from './data.ts';
import { documentOf, figureOf, reproduction } from './document.ts';
import { dataTable, html, type Markup, name } from './html.ts';
import { distributionPlot } from './plots/distribution.ts';
import { shiftPlot } from './plots/shifts.ts';

const PROGRAMS = { evidently: 'Evidently', nannyml: 'NannyML' } as const;

/** Features whose distributions are drawn. */
const DRAWN = 24;

/** @returns the same text for the same result and origin */
export async function driftPage(
  result: DriftResult,
  least: number,
  origin: Omit<Origin, 'model' | 'seed'>,
): Promise<string> {
  const contents = [
    heading(result),
    await scores(result),
    await features(result, least),
    quality(result),
    peers(result),
    skipped(result),
    reproduction(origin, [
      ['reference', withoutSecrets(sideText(result.reference))],
      ['current', withoutSecrets(sideText(result.current))],
      ...(result.model === null ? [] : [['model', result.model] as [string, string]]),
    ]),
  ];
  return documentOf(`Drift: ${brief(withoutSecrets(result.current.name))}`, contents, origin.made);
}

function heading(result: DriftResult): Markup {
  const { reference, current, found, model, sides, domain } = result;
  const { features: names } = driftedOf(result);
  const figures: (readonly [string, string, string])[] = [
    [
      model === null ? 'columns that drifted' : 'features that drifted',
      whole(names.length),
      `of ${whole(found.features.length)}`,
    ],
    ['current rows', whole(found.rows.current), `against ${whole(found.rows.reference)} of the reference`],
  ];
  if (model !== null)
    figures.push([
      'PSI of the scores',
      significant(found.score.psi, 3),
      `${significant(found.score.tests.psi?.noise ?? 0, 2)} by chance; p ${pValue(found.score.p)}`,
    ]);
  if (sides) {
    const { total } = found.logitShift;
    figures.push([
      'shift of the mean logit',
      signed(total),
      total === 0 ? 'it did not move' : `towards ${brief(sides[total > 0 ? 0 : 1], 30)}`,
    ]);
  }
  if (domain)
    figures.push([
      'AUC of telling them apart',
      domain.auc.toFixed(3),
      `95 % interval ${domain.low.toFixed(3)} to ${domain.high.toFixed(3)}; 0.5 is chance`,
    ]);
  return html`<header>
<p class="overline">Drift report</p>
<h1>${name(withoutSecrets(current.name), 90)}</h1>
<p class="aside">Compared with ${reference.kind === 'baseline' ? 'the baseline of ' : null}${name(withoutSecrets(reference.name), 90)}.</p>
<p class="verdict">${verdictOf(result)}.</p>
<dl class="figures">${figures.map(([key, value, text]) => html`<div><dt>${key}</dt><dd>${value}</dd><dd class="note">${text}</dd></div>`)}</dl>
</header>`;
}

async function scores(result: DriftResult): Promise<Markup | null> {
  const { before, now, found, model, sides } = result;
  if (model === null) return null;
  const k = sides ? 0 : Math.max(0, before.classes.indexOf(found.score.class));
  const plots = [
    figureOf(
      distributionPlot(scoreDistribution(before, k), scoreDistribution(now, k), {
        title: sides ? 'Logits' : `Probability of ${found.score.class}`,
        finding: sentence(scoreText(result)),
      }),
      'scores',
    ),
    ...(sides
      ? [
          figureOf(
            shiftPlot(
              found.features.map(({ feature, logitShift }) => ({ feature, shift: logitShift ?? 0 })),
              found.logitShift.total,
              sides,
            ),
            'shifts',
          ),
        ]
      : []),
  ];
  return html`<section id="scores"><h2>What it does to the scores</h2>
<p class="aside">The mean logit is intercept plus weights times means, so its shift is split by feature exactly: weight times change of the mean, for each slot.</p>
<div class="plots">${await Promise.all(plots)}</div></section>`;
}

/** What is said below the drawing of a feature. */
function finding({ drifted, tests, adjustedP, logitShift, towards }: FeatureDrift): string {
  const figures = [
    ...(tests.psi
      ? [`PSI ${significant(tests.psi.value, 3)} (${significant(tests.psi.noise ?? 0, 2)} by chance)`]
      : []),
    testOf(tests),
    `adjusted p ${pValue(adjustedP)}`,
  ];
  const shift =
    logitShift && towards ? `; moves the mean logit by ${signed(logitShift)} towards ${brief(towards, 30)}` : '';
  return `${drifted ? 'Drifted' : 'No drift'}: ${figures.join(', ')}${shift}.`;
}

async function features(result: DriftResult, least: number): Promise<Markup> {
  const { before, now, found, columns } = result;
  const ranked = rankedFeatures(result);
  const places = new Map(before.plan.map(({ feature }, i) => [feature.name, i]));
  const [was, is] = [distributionsOf(before), distributionsOf(now)];
  const drawable = ranked.filter(({ feature }) => was[places.get(feature)!] && is[places.get(feature)!]);
  const shown = drawable.slice(0, DRAWN);
  const plots = await Promise.all(
    shown.map((one, k) => {
      const at = places.get(one.feature)!;
      return figureOf(
        distributionPlot(was[at]!, is[at]!, { title: one.feature, finding: finding(one) }),
        `feature-${k}`,
      );
    }),
  );
  const kinds = new Map(columns?.map(({ column, kind }) => [column, kind]));
  const what = columns ? 'columns' : 'features';
  return html`<section id="features"><h2>What moved</h2>
<p class="aside">${sentence(`a ${columns ? 'column' : 'feature'} is called drifted where its ${ruleText(result, least)}`)} ${sentence(domainText(result))}</p>
<div class="plots">${plots}</div>
${drawable.length > shown.length ? html`<p class="aside">${counted(drawable.length - shown.length, `more ${columns ? 'column is' : 'feature is'}`, `more ${what} are`)} in the table alone.</p>` : null}
<div class="card">${dataTable(
    [
      columns ? 'column' : 'feature',
      ...(columns ? ['taken for'] : []),
      'drifted',
      'PSI',
      'by chance',
      'test',
      'p',
      'adjusted p',
      'JS distance',
      'Wasserstein, in std',
      ...(columns ? [] : ['mean logit']),
    ],
    ranked.map(({ feature, drifted, tests, p, adjustedP, logitShift }) => [
      name(feature, 60),
      ...(columns ? [kinds.get(feature) ?? '–'] : []),
      drifted ? 'yes' : 'no',
      significant(tests.psi?.value ?? null, 3),
      significant(tests.psi?.noise ?? null, 2),
      testOf(tests),
      pValue(p),
      pValue(adjustedP),
      significant(tests.js?.value ?? null, 3),
      significant(tests.wasserstein?.value ?? null, 3),
      ...(columns ? [] : [signed(logitShift)]),
    ]),
  )}</div>
${found.notes.length > 0 ? html`<p class="aside">${found.notes.map((text) => sentence(text)).join(' ')}</p>` : null}</section>`;
}

function quality({ found, columns }: DriftResult): Markup {
  const share = (count: number, rows: number): string => (rows > 0 ? percent(count / rows) : '–');
  const { reference, current } = found.rows;
  return html`<section id="quality"><h2>Quality of the cells</h2>
<p class="aside">Shares of the rows. Unseen: a value that the reference does not have${columns ? null : ', or outside the range of the schema'}. Beyond: a number below or above the range of the reference.</p>
<div class="card">${dataTable(
    [
      columns ? 'column' : 'feature',
      ...['missing', 'unseen', 'beyond'].flatMap((what) => [`${what} before`, `${what} now`]),
    ],
    found.features.map(({ feature, reference: was, current: is }) => [
      name(feature, 60),
      share(was.missing, reference),
      share(is.missing, current),
      share(was.unseen, reference),
      share(is.unseen, current),
      share(was.below + was.above, reference),
      share(is.below + is.above, current),
    ]),
  )}</div></section>`;
}

function peers({ convention }: DriftResult): Markup | null {
  if (!convention) return null;
  return html`<section id="convention"><h2>As ${PROGRAMS[convention.name]} has it</h2>
<p class="aside">The figure that it chooses by default, with its bins and its threshold, of at most ${counted(convention.rows, 'row')} a side.</p>
<div class="card">${dataTable(
    ['feature', 'figure', 'value', 'drift'],
    convention.figures.map(({ feature, figure, value, drifted }) => [
      name(feature, 60),
      figure,
      significant(value, 4),
      drifted === null ? 'not told' : drifted ? 'yes' : 'no',
    ]),
  )}</div></section>`;
}

function skipped({ skipped: list, notes, found }: DriftResult): Markup {
  const said = [
    ...list.map(({ name: column, why }) => [column, why] as const),
    ...found.features.flatMap(({ feature, note }) => (note ? [[feature, note] as const] : [])),
  ];
  const others = notes.filter((text) => !found.notes.includes(text));
  return html`<section id="skipped"><h2>What was left out</h2>
${said.length + others.length === 0 ? html`<p class="aside">Nothing.</p>` : null}
${said.length > 0 ? html`<dl class="facts">${said.map(([column, why]) => html`<dt>${name(column, 60)}</dt><dd>${name(sentence(why), 600)}</dd>`)}</dl>` : null}
${others.map((text) => html`<p class="finding">${name(sentence(text), 600)}</p>`)}</section>`;
}
