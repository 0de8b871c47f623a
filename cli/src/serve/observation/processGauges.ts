import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Gauges } from '../../../../service/src/index.ts';

/** Numbers of this process, by the names that Prometheus has for them; those of several are added, of delays the greatest counts. */
export function processGauges(): () => Gauges {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const started = Math.round(performance.timeOrigin) / 1000;
  return () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
    const gauges: Gauges = {
      process_cpu_seconds_total: {
        help: 'Time of processors taken, by the user and the system.',
        value: (user + system) / 1e6,
        of: 'sum',
        type: 'counter',
      },
      process_resident_memory_bytes: { help: 'Memory of the process.', value: rss, of: 'sum' },
      process_start_time_seconds: {
        help: 'When the process started, in seconds since 1970.',
        value: started,
        of: 'least',
      },
      nodejs_heap_size_used_bytes: { help: 'Memory of values of JavaScript.', value: heapUsed, of: 'sum' },
      nodejs_external_memory_bytes: { help: 'Memory of buffers and WebAssembly.', value: external, of: 'sum' },
      nodejs_eventloop_delay_mean_seconds: {
        help: 'Mean delay of the event loop since it was last asked for.',
        value: seconds(delay.mean),
        of: 'most',
      },
      nodejs_eventloop_delay_p99_seconds: {
        help: 'Delay of the event loop that one in a hundred exceeds.',
        value: seconds(delay.percentile(99)),
        of: 'most',
      },
      nodejs_eventloop_delay_max_seconds: {
        help: 'Greatest delay of the event loop since it was last asked for.',
        value: seconds(delay.max),
        of: 'most',
      },
    };
    delay.reset();
    return gauges;
  };
}
