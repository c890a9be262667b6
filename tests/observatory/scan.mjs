/* What the package's own `scan` does, but with ports and a path, which that one does not take. */
import { ALL_TESTS } from "@mdn/mdn-http-observatory/src/constants.js";
import { MINIMUM_SCORE_FOR_EXTRA_CREDIT } from "@mdn/mdn-http-observatory/src/grader/charts.js";
import { getGradeForScore, getScoreDescription, getScoreModifier } from "@mdn/mdn-http-observatory/src/grader/grader.js";
import { retrieve } from "@mdn/mdn-http-observatory/src/retriever/retriever.js";

export async function scan(host, options) {
  const retrieved = await retrieve(host, options);
  if (!retrieved.responses.auto) throw new Error(`nothing answers at ${options.path}`);
  const results = ALL_TESTS.map((test) => test(retrieved));
  const marks = results.map((result) => ({
    name: result.constructor.name,
    pass: result.pass,
    points: getScoreModifier(result.result),
    why: getScoreDescription(result.result).replaceAll(/<[^>]+>/g, "").replaceAll(/\s+/g, " ").trim(),
  }));
  const sum = (some) => some.reduce((total, { points }) => total + points, 100);
  const strict = sum(marks.filter(({ points }) => points < 0));
  const { score, grade } = getGradeForScore(strict >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? sum(marks) : strict);
  return { status: retrieved.responses.auto.status, score, grade, marks };
}
