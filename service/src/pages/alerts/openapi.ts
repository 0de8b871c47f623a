import type { Description } from '../../core.ts';
import { inPath, json, operation, refusals } from '../api/operations.ts';
import { object, ref } from '../api/schemas.ts';

const text = { type: 'string' };
const orNull = { type: ['string', 'null'] };
const count = { type: 'number', minimum: 0 };
const number = { type: 'number' };
const time = { type: 'string', format: 'date-time' };
const listOf = (items: object) => ({ type: 'array', items });
const severity = { type: 'string', enum: ['page', 'ticket'] };
const why = { type: 'string', minLength: 1, maxLength: 1000, description: 'the reason, which the log keeps' };

/** Made when it is asked for: a bundle cannot drop calls. */
const schemas = (): Description['schemas'] => ({
  Alert: object({
    alert: text,
    severity,
    state: { type: 'string', enum: ['pending', 'firing'] },
    since: time,
    labels: { type: 'object', additionalProperties: text },
    value: { ...number, description: 'bad events in the window, or what is compared with the limit of a condition' },
    window: { ...orNull, description: 'of an objective: the long window' },
    events: { type: ['number', 'null'], description: 'of an objective: all events in the window' },
    summary: text,
    runbook: { ...text, description: 'what to do' },
    silencedBy: { ...orNull, description: 'id of the silence under which nobody is told of it' },
    inhibitedBy: { ...orNull, description: 'the alert that is told in its place' },
  }),
  AlertSilence: object(
    {
      id: text,
      alert: orNull,
      model: orNull,
      at: time,
      until: time,
      by: text,
      why: text,
      note: { ...text, description: 'what is odd about it, when it is made' },
    },
    'note',
  ),
  Alerts: object({
    at: { type: ['string', 'null'], description: 'of the last evaluation' },
    every: { ...count, description: 'seconds between two evaluations' },
    alerts: listOf(ref('Alert')),
    budgets: listOf(
      object({
        ...{ slo: text, model: orNull, target: number, bad: count, all: count },
        remaining: {
          type: ['number', 'null'],
          description: 'share of the bad events that are allowed; null: no events',
        },
      }),
    ),
    silences: listOf(ref('AlertSilence')),
    known: { ...listOf(text), description: 'names of all alerts that there may be' },
    receivers: listOf(object({ severity, kind: text })),
    sent: { ...count, description: 'messages that were taken' },
    lost: { ...count, description: 'messages that nobody took' },
    notes: { ...listOf(text), description: 'what is not evaluated, and why' },
  }),
});

/** @param silence  id of a silence, with which the example works */
export const describeAlerts = (silence: string | undefined): Description => ({
  tags: { alerts: 'Alerts: promises that are broken, and whom that is told' },
  schemas: schemas(),
  paths: {
    '/alerts': {
      get: operation({
        ...{ id: 'alerts', summary: 'Alerts, budgets of errors and silences', tag: 'alerts' },
        ...{ answer: 'what is so now', answers: json(ref('Alerts')) },
      }),
    },
    '/alerts/silences': {
      post: operation({
        ...{ id: 'silence', summary: 'Tell nobody of some alerts for a time', tag: 'alerts' },
        body: json(
          object(
            {
              alert: { ...text, description: 'its name; absent: any' },
              model: { ...text, description: 'absent: any, and what is of none' },
              until: { ...text, description: '2h, or a time in ISO 8601; 30 days from now at most' },
              why,
            },
            ...['alert', 'model'],
          ),
          { 'for two hours': { model: 'flights', until: '2h', why: 'the store of features is being moved' } },
        ),
        ...{ answer: 'the silence', answers: json(ref('AlertSilence')), refused: refusals(400, 413, 415, 503) },
      }),
    },
    '/alerts/silences/{id}': {
      delete: operation({
        ...{ id: 'unsilence', summary: 'End a silence', tag: 'alerts' },
        parameters: [inPath('id', 'of a silence', silence)],
        ...{ answer: 'the silence that was ended', answers: json(ref('AlertSilence')), refused: refusals(404, 503) },
      }),
    },
  },
});
