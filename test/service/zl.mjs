import { mlflow } from './mlflow/run.mjs';
console.log(await mlflow());
