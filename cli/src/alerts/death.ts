import type { SloSettings } from '../slo/settings.ts';

/** What is to be said of the end of a service, which it cannot tell itself: one process with --workers tells the end of others, but not its own. */
export function deathNotes({ conditions, watchdog }: SloSettings): readonly string[] {
  if (!conditions.some(({ name }) => name === 'down')) return [];
  return watchdog
    ? [
        `LogoddsDown: a service that has ended cannot tell it; the watchdog is told each ${watchdog.every} s while alerts are evaluated, and has to alarm where that stays away`,
      ]
    : [
        "LogoddsDown: a service that has ended cannot tell it; name a dead man's switch under watchdog in the settings, or have another machine ask /v2/health/live",
      ];
}
