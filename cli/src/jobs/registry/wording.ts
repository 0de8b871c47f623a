import { CHAMPION, type Kind, type RegistryEvent } from '../../../../registry/src/index.ts';
import { counted, percent } from '../../figures/wording.ts';

type Of<K extends Kind> = Extract<RegistryEvent, { event: K }>;

const was = (from: number | null): string => (from === null ? '' : ` (was ${from})`);

/** What each event says, without who, when and why. */
const WORDS: { readonly [K in Kind]: (event: Of<K>) => string } = {
  pushed: ({ name, version, sha256, modelSha256 }) =>
    `${name}: version ${version} pushed, sha256 ${sha256.slice(0, 12)}${modelSha256 === undefined ? '' : `, of the model ${modelSha256.slice(0, 12)}`}`,
  aliased: ({ name, alias, version, from }) =>
    version === null
      ? `${name}: ${alias} names no version${was(from)}`
      : `${name}: ${alias} names version ${version}${was(from)}`,
  promoted: ({ name, version, from }) => `${name}: version ${version} promoted to ${CHAMPION}${was(from)}`,
  'rolled-back': ({ name, version, from }) => `${name}: rolled back to version ${version}${was(from)}`,
  tagged: ({ name, version, tags }) =>
    `${name}: tags of version ${version}: ${Object.entries(tags)
      .map(([key, text]) => (text === null ? `without ${key}` : `${key}=${text}`))
      .join(', ')}`,
  retired: ({ name, version, retired }) => `${name}: version ${version} ${retired ? 'retired' : 'in use again'}`,
  signed: ({ sha256, keyId }) => `file ${sha256.slice(0, 12)} signed by key ${keyId.slice(0, 12)}`,
  gated: ({ name, version, passed, failed }) =>
    `${name}: version ${version} ${passed ? 'passed its gate' : `failed its gate: ${failed.join(', ')}`}`,
  demanded: ({ name, alias, keys, publicKeys, gate }) => {
    const what = [
      gate && 'a gate',
      keys.length > 0 &&
        `a signature of ${keys.map((key) => key.slice(0, 12)).join(' or ')}${publicKeys ? '' : ' (ids alone)'}`,
    ];
    return `${alias} of ${name === '*' ? 'every model' : name} demands ${what.filter(Boolean).join(', ') || 'nothing'}`;
  },
  collected: ({ sha256s }) => `files of ${counted(sha256s.length, 'digest')} removed`,
  'rollout-started': ({ name, champion, challenger, plan }) =>
    `${name}: ${plan.kind} of version ${challenger} beside ${champion} started, ${plan.steps.map(({ share }) => percent(share)).join(', ')}`,
  'rollout-advanced': ({ name, step }) => `${name}: rollout at step ${step + 1}`,
  'rollout-ended': ({ name, outcome, version }) => `${name}: rollout ${outcome}; version ${version} answers`,
};

/** What an event says, in words. Of one that this version does not know: its name. */
export const eventText = (event: RegistryEvent): string =>
  (WORDS[event.event] as ((event: RegistryEvent) => string) | undefined)?.(event) ?? event.event;
