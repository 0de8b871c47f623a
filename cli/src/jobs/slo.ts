import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { alertmanagerConfig } from '../slo/alertmanager.ts';
import { burnWindows } from '../slo/burn.ts';
import { ruleFiles } from '../slo/rules.ts';
import { ruleTests } from '../slo/ruleTests.ts';
import { defaultSettings, readSettings, type SloSettings } from '../slo/settings.ts';
import { secretOf } from '../tell/receivers.ts';
import { OutputFile, outputError, withUserMask } from '../write/temporary.ts';

/** What `logodds slo export` wrote. */
export interface SloExport {
  readonly objectives: readonly { readonly id: string; readonly target: number; readonly about: string }[];
  /** below the folder */
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

/** @throws ERR_DATA, ERR_RANGE of the settings, ERR_OUTPUT */
export async function exportSlo(config: string | undefined, out: string): Promise<SloExport> {
  const settings = config === undefined ? defaultSettings() : await readSettings(config);
  const contents = filesOf(settings);
  const outputs = Object.entries(contents).map(([name, text]) => {
    const path = join(out, name);
    try {
      withUserMask(() => mkdirSync(dirname(path), { recursive: true }));
    } catch (error) {
      throw outputError(path, error);
    }
    const output = new OutputFile(path);
    output.write(Buffer.from(text));
    return output;
  });
  // none appears before all are whole
  for (const output of outputs) output.commit();
  return {
    objectives: settings.objectives.map(({ id, objective, options }) => ({
      id,
      target: options.target,
      about: objective.about,
    })),
    files: Object.keys(contents),
    notes: [...notesOf(settings), ...strangersOf(out, contents)],
  };
}

/** Files of rules that this run did not write: Prometheus reads them all the same. */
function strangersOf(out: string, contents: Readonly<Record<string, string>>): string[] {
  return ['prometheus/rules', 'prometheus/tests'].flatMap((folder) =>
    (existsSync(join(out, folder)) ? readdirSync(join(out, folder)) : [])
      .filter((name) => name.endsWith('.yml') && !Object.hasOwn(contents, `${folder}/${name}`))
      .sort()
      .map((name) => `${folder}/${name} is of an earlier run, and is read all the same; remove it if it is not wanted`),
  );
}

const yaml = (value: object): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

const BOARDS = new URL(import.meta.url.endsWith('.ts') ? '../../dashboards/' : '../dashboards/', import.meta.url);

/** The content of each file, by its name. */
function filesOf(settings: SloSettings): Record<string, string> {
  const rules = ruleFiles(settings);
  return {
    ...Object.fromEntries(rules.map(({ name, groups }) => [`prometheus/rules/${name}.yml`, yaml({ groups })])),
    ...Object.fromEntries(
      rules.flatMap(({ name, slo, groups }) =>
        slo ? [[`prometheus/tests/${name}.yml`, yaml(ruleTests(settings, slo, groups, `../rules/${name}.yml`))]] : [],
      ),
    ),
    'prometheus/prometheus.yml': yaml({
      global: { scrape_interval: '15s', evaluation_interval: '15s' },
      rule_files: ['rules/*.yml'],
      scrape_configs: [
        { job_name: settings.job, static_configs: [{ targets: [settings.target ?? 'localhost:8080'] }] },
      ],
      alerting: { alertmanagers: [{ static_configs: [{ targets: alertmanagersOf(settings) }] }] },
    }),
    'alertmanager/alertmanager.yml': yaml(alertmanagerConfig(settings)),
    'grafana/provisioning/datasources/logodds.yaml': yaml({
      apiVersion: 1,
      datasources: [{ name: 'Prometheus', type: 'prometheus', access: 'proxy', url: 'http://localhost:9090' }],
    }),
    'grafana/provisioning/dashboards/logodds.yaml': yaml({
      apiVersion: 1,
      providers: [{ name: 'logodds', type: 'file', options: { path: '/var/lib/grafana/dashboards/logodds' } }],
    }),
    ...Object.fromEntries(
      readdirSync(BOARDS)
        .sort()
        .map((name) => [`grafana/dashboards/${name}`, readFileSync(new URL(name, BOARDS), 'utf8')]),
    ),
  };
}

/** Where alerts go: HOST:PORT of each Alertmanager. */
function alertmanagersOf({ notify }: SloSettings): string[] {
  const named = [...notify.page, ...notify.ticket].filter(({ kind }) => kind === 'alertmanager');
  const hosts = named.map(({ options }) => new URL(String(options['url'])).host);
  return hosts.length > 0 ? [...new Set(hosts)] : ['localhost:9093'];
}

/** Secrets that only the environment has, by the names of the files that Alertmanager wants instead. */
function unfiledSecrets({ notify }: SloSettings): string[] {
  const missing = [...notify.page, ...notify.ticket].flatMap(({ kind, options }) => {
    const secret = secretOf(kind);
    const isFiled = ['keyFile', 'urlFile', 'passwordFile'].some((key) => key in options);
    return secret === null || isFiled || (kind === 'email' && !('user' in options)) ? [] : [secret];
  });
  return [...new Set(missing)].map(
    (name) => `Alertmanager reads no environment: put ${name} into a file of that name, which alertmanager.yml names`,
  );
}

/** What somebody should know of these settings. */
function notesOf(settings: SloSettings): string[] {
  const { objectives, period, notify } = settings;
  const pages = burnWindows(period).filter(({ severity }) => severity === 'page');
  const deaf = objectives.filter(({ options }) => pages.every(({ burn }) => burn * (1 - options.target) >= 1));
  return [
    ...(notify.page.length === 0 ? ['notify.page is empty: nobody is woken; name a receiver in --config'] : []),
    ...(notify.ticket.length === 0 ? ['notify.ticket is empty: nobody gets tickets; name a receiver in --config'] : []),
    ...unfiledSecrets(settings),
    ...deaf.map(
      ({ id, options }) =>
        `${id} with the target ${options.target} cannot page: even if all is bad, the budget lasts longer than a page asks for`,
    ),
  ];
}
