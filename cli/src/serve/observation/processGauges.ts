import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Gauges } from '../../../../service/src/index.ts';

/** Numbers of this process, by the names that Prometheus has for them. */
export function processGauges(): () => Gauges {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const started = Math.round(performance.timeOrigin) / 1000;
  return () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
    const gauges: Gauges = {
      process_cpu_seconds_total: [
        'Time of processors taken, by the user and the system.',
        (user + system) / 1e6,
        'counter',
      ],
      process_resident_memory_bytes: ['Memory of the process.', rss],
      process_start_time_seconds: ['When the process started, in seconds since 1970.', started],
      nodejs_heap_size_used_bytes: ['Memory of values of JavaScript.', heapUsed],
      nodejs_external_memory_bytes: ['Memory of buffers and WebAssembly.', external],
      nodejs_eventloop_delay_mean_seconds: [
        'Mean delay of the event loop since it was last asked for.',
        seconds(delay.mean),
      ],
      nodejs_eventloop_delay_p99_seconds: [
        'Delay of the event loop that one in a hundred exceeds.',
        seconds(delay.percentile(99)),
      ],
      nodejs_eventloop_delay_max_seconds: [
        'Greatest delay of the event loop since it was last asked for.',
        seconds(delay.max),
      ],
    };
    delay.reset();
    return gauges;
  };
}
