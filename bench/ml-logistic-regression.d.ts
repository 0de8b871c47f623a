/** The part that the benchmark uses; the package has no declarations. */
declare module 'ml-logistic-regression' {
  export default class LogisticRegression {
    static load(model: {
      name: 'LogisticRegression';
      numberClasses: number;
      classifiers: { weights: number[][] }[];
    }): LogisticRegression;
    readonly classifiers: { testScores(x: unknown): number[] }[];
  }
}
