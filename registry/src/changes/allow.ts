import { registryError } from '../errors.ts';
import { CHAMPION, type Entry, type State, type Version } from '../state.ts';

/** @throws ERR_REGISTRY */
export function notRetired(version: Version): void {
  if (version.isRetired) throw retired(version, 'logodds registry retire --undo takes that back');
}

export const retired = ({ name, version }: Version, next: string) =>
  registryError(
    'ERR_REGISTRY',
    `version ${version} of ${name}: expected one that is in use, got one that is retired; ${next}`,
  );

/** What an alias demands but signatures, which `Signatures` verifies. @param isBack  the version had the alias before: it went through what was demanded then @throws ERR_REGISTRY */
export function allow(state: State, version: Version, alias: string, isBack = false): void {
  notRetired(version);
  const { name, version: number, gate } = version;
  if (alias === CHAMPION && gate && !gate.passed && !isBack)
    throw registryError(
      'ERR_REGISTRY',
      `version ${number} of ${name}: expected one that has passed its gate, got one that failed it (${gate.failed.join(', ')}); train another, or have the gate pass first`,
    );
  for (const demand of state.demands.filter((one) => one.alias === alias && (one.name === '*' || one.name === name))) {
    if (demand.gate && !gate && !isBack)
      throw registryError(
        'ERR_REGISTRY',
        `version ${number} of ${name}: expected one that has passed its gate, got one that went through none; run logodds gate`,
      );
  }
}

export const running = ({ name, rollout }: Entry, next: string) =>
  registryError(
    'ERR_REGISTRY',
    `${name}: expected no rollout, got one of version ${rollout!.challenger} since ${rollout!.since}; ${next}`,
  );

export const notRunning = (name: string) =>
  registryError('ERR_REGISTRY', `${name}: expected a rollout that goes on, got none; logodds rollout start begins one`);
