import type { Extension } from './core.ts';
import { describeAlerts } from './pages/alerts/openapi.ts';
import { ALERTS_SCRIPT } from './pages/alerts/script.ts';
import { type Alerting, addAlerts } from './protocols/alerts.ts';

/**
 * Alerts over HTTP, and in the console: `createService({ extensions: [alertsApi(alerting)] })`.
 *
 * It answers at `/alerts`, which `/openapi.json` describes. Scope `read` for every model reads them, `admin` for every model silences them.
 */
export const alertsApi = (alerting: Alerting): Extension => ({
  add: (app, core) => addAlerts(app, core, alerting),
  async describe() {
    const { silences } = await alerting.state();
    return describeAlerts(silences[0]?.id);
  },
  script: ALERTS_SCRIPT,
});
