import { asynchronous, local } from './harness.ts';
import { sigmoidModel } from './onnx.ts';
import type { Rival } from './timings.ts';

/** Data of a scoring problem: x rows × features, w features, b one number, all f32. */
export interface Problem {
  readonly x: Float32Array;
  readonly rows: number;
  readonly features: number;
  readonly w: Float32Array;
  readonly b: Float32Array;
}

/** ONNX Runtime, native: one thread, every graph optimisation, the output tensor allocated once. */
export async function onnxNode({ x, rows, features, w, b }: Problem): Promise<Rival> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(sigmoidModel(w, b), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const feeds = { x: new Tensor('float32', x, [rows, features]) };
  const y = new Float32Array(rows);
  const fetches = { y: new Tensor('float32', y, [rows, 1]) };
  const run = async () => {
    await session.run(feeds, fetches);
    return y[rows - 1];
  };
  return asynchronous('onnxruntime-node', run, { output: async () => run().then(() => y) });
}

/** ONNX Runtime, WebAssembly SIMD: one thread. Its interface copies the input in and the output out at every call. */
export async function onnxWeb({ x, rows, features, w, b }: Problem): Promise<Rival> {
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(sigmoidModel(w, b), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const feeds = { x: new ort.Tensor('float32', x, [rows, features]) };
  const result = async () => (await session.run(feeds)).y.data as Float32Array;
  return asynchronous('onnxruntime-web', async () => (await result())[rows - 1], { output: result });
}

/** TensorFlow.js, WebAssembly SIMD, one thread: its fused kernel; rows and weights stay in its memory. */
export async function tensorflow({ x, rows, features, w, b }: Problem): Promise<Rival> {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-wasm');
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
  await tf.ready();
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('tfjs: no SIMD');
  const a = tf.tensor2d(x, [rows, features]);
  const weights = tf.tensor2d(w, [features, 1]);
  const bias = tf.tensor1d(b);
  const result = () => {
    const y = tf.fused.matMul({ a, b: weights, bias, activation: 'sigmoid' as never });
    const values = y.dataSync();
    y.dispose();
    return values;
  };
  return local('TensorFlow.js WASM', () => result()[rows - 1], { output: () => result().slice() });
}

/** ml-logistic-regression knows no intercept: it is the weight of a column of ones. */
export async function mlLogisticRegression({ x, rows, features, w, b }: Problem): Promise<Rival> {
  const { default: LogisticRegression } = await import('ml-logistic-regression');
  const { Matrix } = await import('ml-matrix');
  const matrix = Matrix.ones(rows, features + 1);
  for (let i = 0; i < rows; i++) for (let j = 0; j < features; j++) matrix.set(i, j, x[i * features + j]);
  const model = { name: 'LogisticRegression' as const, numberClasses: 1, classifiers: [{ weights: [[...w, b[0]]] }] };
  const [classifier] = LogisticRegression.load(model).classifiers;
  const result = () => classifier.testScores(matrix);
  return local('ml-logistic-regression', () => result()[rows - 1], { output: result });
}
