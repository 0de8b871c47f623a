// The dashboards of Grafana, made by its own typed builders. `npm run build` writes them to cli/dashboards, from where `logodds slo export` copies them.
import * as barGauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeSeries from '@grafana/grafana-foundation-sdk/timeseries';

const SOURCE = { type: 'prometheus', uid: '$datasource' };
const OF_JOB = 'job=~"$job"';
const OF_MODEL = `${OF_JOB},model=~"$model"`;
const SLO = 'slo=~".+"';

const query = (expr, legend, { instant = false, format = 'time_series' } = {}) => {
  const builder = new prometheus.DataqueryBuilder().expr(expr).legendFormat(legend).datasource(SOURCE).format(format);
  return instant ? builder.instant() : builder;
};

/** What all panels have. @param queries  [expression, legend] each */
function panelOf(builder, { title, about, unit, width, height = 7, queries, instant, format }) {
  builder.title(title).description(about).datasource(SOURCE).span(width).height(height);
  if (unit) builder.unit(unit);
  queries.forEach(([expr, legend], i) => {
    builder.withTarget(query(expr, legend, { instant, format }).refId(String.fromCharCode(65 + i)));
  });
  return builder;
}

const LAST = new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields('');

const steps = (...list) =>
  new dashboard.ThresholdsConfigBuilder().mode('absolute').steps(list.map(([value, color]) => ({ value, color })));

const lines = (panel) =>
  panelOf(new timeSeries.PanelBuilder(), { width: 12, ...panel })
    .fillOpacity(8)
    .lineWidth(1)
    .legend(new common.VizLegendOptionsBuilder().displayMode('list').placement('bottom').showLegend(true).calcs([]))
    .tooltip(new common.VizTooltipOptionsBuilder().mode('multi').sort('desc'));

const figure = (panel) =>
  panelOf(new stat.PanelBuilder(), { width: 4, height: 4, instant: true, ...panel })
    .graphMode('none')
    .reduceOptions(LAST)
    .thresholds(panel.steps ?? steps([null, 'text']));

const bars = (panel) =>
  panelOf(new barGauge.PanelBuilder(), { width: 12, instant: true, ...panel })
    .orientation('horizontal')
    .reduceOptions(LAST)
    .min(0)
    .max(1)
    .thresholds(steps([null, 'red'], [0.1, 'orange'], [0.5, 'green']));

const rows = (panel) => panelOf(new table.PanelBuilder(), { width: 12, instant: true, format: 'table', ...panel });

const heat = (panel) => panelOf(new heatmap.PanelBuilder(), { width: 12, format: 'heatmap', ...panel });

const variable = (name, label, of, selector) =>
  new dashboard.QueryVariableBuilder(name)
    .label(label)
    .query(`label_values(${selector}, ${of})`)
    .datasource(SOURCE)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' });

/** Something that happened, as a line through all panels. */
const event = (name, color, expr, title) =>
  new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(SOURCE)
    .enable(true)
    .hide(false)
    .iconColor(color)
    .expr(expr)
    .step('60s')
    .titleFormat(title)
    .textFormat('');

function board({ id, title, about, range, panels }) {
  const builder = new dashboard.DashboardBuilder(title)
    .uid(`logodds-${id}`)
    .description(about)
    .tags(['logodds'])
    .time({ from: `now-${range}`, to: 'now' })
    .refresh('1m')
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(variable('job', 'Service', 'job', 'lr_ready'))
    .withVariable(variable('model', 'Model', 'model', `lr_model_info{${OF_JOB}}`))
    .annotation(
      event(
        'Versions',
        'blue',
        `lr_model_info{${OF_MODEL}} unless lr_model_info{${OF_MODEL}} offset 5m`,
        '{{model}} {{version}} answers',
      ),
    )
    .annotation(
      event('Rolled back', 'red', `increase(lr_route_breaches_total{${OF_JOB}}[1m]) > 0`, 'a guard ended a rollout'),
    )
    .annotation(
      event(
        'Changed',
        'orange',
        `lr_change{${OF_MODEL}} == 1 unless lr_change{${OF_MODEL}} offset 5m == 1`,
        'the {{figure}} of {{model}} has changed',
      ),
    )
    // of the file that `logodds retrain` writes for the textfile collector, whose job is another one
    .annotation(
      event(
        'Retrained',
        'purple',
        'changes(lr_last_retraining_timestamp_seconds{model=~"$model"}[5m]) > 0',
        '{{model}} is trained again',
      ),
    )
    .link(
      new dashboard.DashboardLinkBuilder('logodds')
        .type('dashboards')
        .tags(['logodds'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const panel of panels) {
    if (typeof panel === 'string') builder.withRow(new dashboard.RowBuilder(panel));
    else builder.withPanel(panel);
  }
  return builder.build();
}

const requests = `lr_requests_total{${OF_MODEL},model!=""}`;
const rate = (family, selector = OF_MODEL, by = '') =>
  `sum ${by && `by (${by}) `}(rate(${family}{${selector}}[$__rate_interval]))`;
const quantile = (q, family, by = '') =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${family}_bucket{${OF_MODEL}}[$__rate_interval])))`;

const BUDGET = {
  title: 'Budget of errors that is left',
  about: 'Share of the bad events that each objective allows in its period. Below 0 the promise is broken.',
  unit: 'percentunit',
  queries: [[`logodds:slo_budget:remaining{${SLO}}`, '{{slo}} {{model}}']],
};

/** For those who answer for the service: is the promise kept, and what answers. */
const executive = board({
  id: 'executive',
  title: 'logodds: promises',
  about: 'Whether the promises are kept, which models answer and what they say.',
  range: '30d',
  panels: [
    'Promises',
    bars({ ...BUDGET, width: 16 }),
    figure({
      title: 'Least budget',
      about: 'Of all objectives.',
      unit: 'percentunit',
      queries: [[`min(logodds:slo_budget:remaining{${SLO}})`, '']],
      steps: steps([null, 'red'], [0.1, 'orange'], [0.5, 'green']),
    }),
    figure({
      title: 'Pages now',
      about: 'Alerts that wake somebody.',
      queries: [['count(ALERTS{alertname=~"Logodds.*",alertstate="firing",severity="page"}) or vector(0)', '']],
      steps: steps([null, 'green'], [1, 'red']),
    }),
    'What answers',
    figure({
      title: 'Scores a second',
      about: 'Rows scored.',
      unit: 'short',
      width: 6,
      queries: [[rate('lr_rows_total'), '']],
    }),
    figure({
      title: 'Mean probability',
      about: 'Of the positive class, in the time that is shown.',
      unit: 'percentunit',
      width: 6,
      queries: [
        [
          `sum(increase(lr_probability_sum{${OF_MODEL}}[$__range])) / (sum(increase(lr_probability_count{${OF_MODEL}}[$__range])) > 0)`,
          '',
        ],
      ],
    }),
    figure({
      title: 'Rolled back',
      about: 'Rollouts that a guard has ended, in the time that is shown.',
      width: 6,
      queries: [[`sum(increase(lr_route_breaches_total{${OF_JOB}}[$__range])) or vector(0)`, '']],
    }),
    figure({
      title: 'Labels taken',
      about: 'What became true of earlier scores, in the time that is shown.',
      width: 6,
      queries: [[`sum(increase(lr_labels_total{${OF_JOB}}[$__range]))`, '']],
    }),
    rows({
      title: 'Versions',
      about: 'Models that were loaded, with the digest of their files.',
      width: 12,
      queries: [[`max by (model, version, sha256) (lr_model_info{${OF_MODEL}})`, '']],
    }),
    lines({
      title: 'Rows by version',
      about: 'A rollout is seen here.',
      unit: 'short',
      queries: [[rate('lr_rows_total', OF_MODEL, 'model, version'), '{{model}} {{version}}']],
    }),
  ],
});

/** For whoever is woken: what is wrong, since when, how much. */
const onCall = board({
  id: 'on-call',
  title: 'logodds: on call',
  about: 'What is wrong, since when and how much. Each alert links its runbook.',
  range: '6h',
  panels: [
    'Now',
    rows({
      title: 'Alerts',
      about: 'Those that fire or will.',
      width: 16,
      queries: [['ALERTS{alertname=~"Logodds.*"}', '']],
    }),
    figure({
      title: 'Processes that answer',
      about: 'up of the job.',
      queries: [[`sum(up{${OF_JOB}})`, '']],
      steps: steps([null, 'red'], [1, 'green']),
    }),
    figure({
      title: 'Ready',
      about: 'Processes that take new requests.',
      queries: [[`sum(lr_ready{${OF_JOB}})`, '']],
      steps: steps([null, 'red'], [1, 'green']),
    }),
    'How fast budgets are spent',
    lines({
      title: 'Share of bad events, by window',
      about: 'An alert asks for a long window and a twelfth of it.',
      unit: 'percentunit',
      width: 16,
      queries: [
        [
          `logodds:slo_bad:increase{${SLO}} / (logodds:slo_events:increase{${SLO}} > 0)`,
          '{{slo}} {{model}} {{window}}',
        ],
      ],
    }),
    bars({ ...BUDGET, width: 8 }),
    'Requests',
    lines({
      title: 'Requests by status',
      about: 'To models.',
      unit: 'reqps',
      queries: [[`sum by (code) (rate(${requests}[$__rate_interval]))`, '{{code}}']],
    }),
    lines({
      title: 'Time of requests',
      about: 'From the begin of a request to the end of its answer.',
      unit: 's',
      queries: [
        [quantile(0.5, 'lr_request_duration_seconds'), 'median'],
        [quantile(0.99, 'lr_request_duration_seconds'), '99 %'],
        [quantile(0.999, 'lr_request_duration_seconds'), '99.9 %'],
      ],
    }),
    lines({
      title: 'Turned away',
      about: 'Before work was done, by reason.',
      unit: 'reqps',
      queries: [[rate('lr_shed_total', OF_JOB, 'reason'), '{{reason}}']],
    }),
    lines({
      title: 'Rows refused and rows with a default',
      about: 'A schema that changed is seen here.',
      unit: 'short',
      queries: [
        [rate('lr_refused_rows_total', OF_MODEL, 'model'), '{{model}} refused'],
        [rate('lr_defaulted_rows_total', OF_MODEL, 'model'), '{{model}} with a default'],
      ],
    }),
    'Rollouts',
    lines({
      title: 'Rows by version',
      about: 'Which version answers.',
      unit: 'short',
      queries: [[rate('lr_rows_total', OF_MODEL, 'model, version'), '{{model}} {{version}}']],
    }),
    lines({
      title: 'Errors by version',
      about: 'Requests answered by status 500 and above.',
      unit: 'reqps',
      queries: [
        [
          `sum by (model, version) (rate(lr_requests_total{${OF_MODEL},model!="",code=~"5.."}[$__rate_interval]))`,
          '{{model}} {{version}}',
        ],
      ],
    }),
  ],
});

/** For those who look for the cause. */
const debug = board({
  id: 'debug',
  title: 'logodds: inside',
  about: 'Where time and memory go, by stage and version.',
  range: '1h',
  panels: [
    'Time',
    lines({
      title: 'Stages, 99 %',
      about: 'Where the time of requests goes.',
      unit: 's',
      queries: [[quantile(0.99, 'lr_stage_duration_seconds', 'stage'), '{{stage}}']],
    }),
    lines({
      title: 'Time of requests by version, 99 %',
      about: 'A slow version is seen here.',
      unit: 's',
      queries: [[quantile(0.99, 'lr_request_duration_seconds', 'model, version'), '{{model}} {{version}}']],
    }),
    lines({
      title: 'Waiting before work',
      about: 'For the event loop and in the queue.',
      unit: 's',
      queries: [
        [
          `histogram_quantile(0.99, sum by (le) (rate(lr_queue_delay_seconds_bucket{${OF_JOB}}[$__rate_interval])))`,
          '99 %',
        ],
        [`max(nodejs_eventloop_delay_p99_seconds{${OF_JOB}})`, 'event loop, 99 %'],
      ],
    }),
    lines({
      title: 'Queue',
      about: 'Requests of long bodies that wait, and those that are being answered.',
      unit: 'short',
      queries: [
        [`sum(lr_queue_depth{${OF_JOB}})`, 'waiting'],
        [`sum(lr_requests_in_flight{${OF_JOB}})`, 'in flight'],
        [`sum(lr_connections{${OF_JOB}})`, 'connections'],
      ],
    }),
    'Scores',
    heat({
      title: 'Probabilities',
      about: 'Of the positive class.',
      queries: [[`sum by (le) (increase(lr_probability_bucket{${OF_MODEL}}[$__rate_interval]))`, '{{le}}']],
    }),
    heat({
      title: 'Rows at a time',
      about: 'Of a batch.',
      queries: [[`sum by (le) (increase(lr_batch_rows_bucket{${OF_MODEL}}[$__rate_interval]))`, '{{le}}']],
    }),
    'Process',
    lines({
      title: 'Memory',
      about: 'Of the process, and linear memory of scorers.',
      unit: 'bytes',
      queries: [
        [`sum by (instance) (process_resident_memory_bytes{${OF_JOB}})`, '{{instance}} resident'],
        [`sum by (instance) (lr_scorer_memory_bytes{${OF_JOB}})`, '{{instance}} scorers'],
      ],
    }),
    lines({
      title: 'Processors',
      about: 'Time taken in a second.',
      unit: 's',
      queries: [[`sum by (instance) (rate(process_cpu_seconds_total{${OF_JOB}}[$__rate_interval]))`, '{{instance}}']],
    }),
    'What is written',
    lines({
      title: 'Lines',
      about: 'Of the logs, and those that were lost.',
      unit: 'short',
      queries: [
        [rate('lr_predictions_logged_total', OF_JOB), 'scores logged'],
        [rate('lr_predictions_dropped_total', OF_JOB), 'scores lost'],
        [rate('lr_audit_lines_total', OF_JOB), 'audit'],
        [rate('lr_audit_dropped_total', OF_JOB), 'audit lost'],
        [rate('lr_log_dropped_total', OF_JOB), 'log lost'],
      ],
    }),
    lines({
      title: 'Labels',
      about: 'Taken and refused.',
      unit: 'short',
      queries: [
        [rate('lr_labels_total', OF_JOB), 'taken'],
        [rate('lr_labels_refused_total', OF_JOB), 'refused'],
      ],
    }),
    lines({
      title: 'Second scorings',
      about: 'Of shadows.',
      unit: 'short',
      queries: [
        [rate('lr_shadow_rows_total', OF_JOB), 'rows'],
        [rate('lr_shadow_dropped_total', OF_JOB), 'dropped'],
        [rate('lr_shadow_failed_total', OF_JOB), 'failed'],
      ],
    }),
    rows({
      title: 'Loading',
      about: 'Seconds to load, check and warm a model.',
      queries: [[`max by (model, version) (lr_model_load_seconds{${OF_MODEL}})`, '']],
    }),
  ],
});

const gauge = (family, by) => `max by (${by}) (${family}{${OF_MODEL}})`;

/** For those who answer for a model: does it still see what it was trained on, and is it still right. */
const watch = board({
  id: 'watch',
  title: 'logodds: watch',
  about: 'What has drifted, what it costs, and whether labels say so.',
  range: '30d',
  panels: [
    'Without labels',
    lines({
      title: 'Drift of scores',
      about: 'PSI against training: 0.1 is much, 0.25 is a lot.',
      queries: [[gauge('lr_score_psi', 'model, version'), '{{model}} {{version}}']],
    }),
    lines({
      title: 'Drift of features',
      about: 'PSI of the ten features that have drifted most.',
      queries: [[`topk(10, ${gauge('lr_drift_psi', 'model, feature')})`, '{{model}} {{feature}}']],
    }),
    lines({
      title: 'What moves the mean logit',
      about: 'Of each feature; all of them add up to the shift.',
      queries: [[gauge('lr_logit_shift', 'model, feature'), '{{model}} {{feature}}']],
    }),
    lines({
      title: 'Missing and new values',
      about: 'Share of the rows, by feature.',
      unit: 'percentunit',
      queries: [
        [`topk(10, ${gauge('lr_feature_missing_ratio', 'model, feature')} > 0)`, '{{model}} {{feature}} missing'],
        [`topk(10, ${gauge('lr_feature_unseen_ratio', 'model, feature')} > 0)`, '{{model}} {{feature}} new'],
      ],
    }),
    lines({
      title: 'Values that are too old',
      about: 'Share of the rows, by feature: --watch-age of the service names what has their time.',
      unit: 'percentunit',
      queries: [
        [
          `${rate('lr_feature_stale_rows_total', OF_MODEL, 'model, feature')} / ${rate('lr_feature_timed_rows_total', OF_MODEL, 'model, feature')}`,
          '{{model}} {{feature}}',
        ],
      ],
    }),
    'With labels',
    lines({
      title: 'Log loss',
      about: 'That came true, and the one that the probabilities themselves promise.',
      queries: [
        [gauge('lr_log_loss', 'model'), '{{model}}'],
        [gauge('lr_estimated_log_loss', 'model'), '{{model}} promised'],
      ],
    }),
    lines({
      title: 'AUC',
      about: 'That came true, and estimated.',
      queries: [
        [gauge('lr_auc', 'model'), '{{model}}'],
        [gauge('lr_estimated_auc', 'model'), '{{model}} estimated'],
      ],
    }),
    lines({
      title: 'Calibration',
      about: 'Slope is 1 and intercept 0 where a model is right.',
      queries: [
        [gauge('lr_calibration_slope', 'model'), '{{model}} slope'],
        [gauge('lr_calibration_intercept', 'model'), '{{model}} intercept'],
      ],
    }),
    lines({
      title: 'Calibration error',
      about: 'Beside what chance alone would give.',
      queries: [
        [gauge('lr_calibration_error', 'model'), '{{model}}'],
        [gauge('lr_calibration_error_floor', 'model'), '{{model}} by chance'],
      ],
    }),
    'Labels',
    lines({
      title: 'Labels that have not come',
      about: 'Share of the newest ripe window.',
      unit: 'percentunit',
      queries: [[gauge('lr_labels_missing_ratio', 'model'), '{{model}}']],
    }),
    lines({
      title: 'From a score to its label',
      about: 'Half of the labels, and 95 % of them, took less.',
      unit: 's',
      queries: [[gauge('lr_label_delay_seconds', 'model, quantile'), '{{model}} {{quantile}}']],
    }),
    'Alerts that the service has evaluated itself',
    lines({
      title: 'Alerts of serve --slo',
      about: 'By name and state.',
      queries: [[`max by (alert, severity, state) (lr_alerts{${OF_JOB}})`, '{{alert}} {{severity}} {{state}}']],
    }),
    lines({
      title: 'Messages',
      about: 'About alerts, taken and lost.',
      queries: [
        [`sum(increase(lr_alert_notifications_total{${OF_JOB}}[$__rate_interval]))`, 'taken'],
        [`sum(increase(lr_alert_notifications_lost_total{${OF_JOB}}[$__rate_interval]))`, 'lost'],
      ],
    }),
  ],
});

export const dashboards = {
  'logodds-watch': watch,
  'logodds-executive': executive,
  'logodds-on-call': onCall,
  'logodds-debug': debug,
};
