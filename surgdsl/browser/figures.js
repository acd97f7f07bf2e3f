/**
 * The structure of a claim as a line of text: what was checked, whatever the words of the file say.
 */

const SIGNS = Object.freeze({ __proto__: null, add: "+", sub: "−", mul: "·", div: "/", pow: "^", lt: "<", le: "<=", gt: ">", ge: ">=", eq: "=", ne: "≠", and: "and", or: "or" });

/** A figure of section 10 in the usual signs, with all its brackets. */
function figureText(figure) {
  if ("number" in figure) return figure.number;
  if ("metric" in figure) return `${figure.metric}(${figure.state})`;
  if ("of" in figure) return `${figure.of}(${figure.variable})`;
  if ("attested" in figure) return `${figure.attested} by ${figure.reference}`;
  if ("each" in figure) return `${figure.each} over weights ${figure.variable} (${figure.state}) of ${figureText(figure.body)}`;
  const terms = figure.terms.map(figureText);
  const sign = SIGNS[figure.apply];
  return sign && terms.length === 2 ? `(${terms[0]} ${sign} ${terms[1]})` : `${figure.apply}(${terms.join(", ")})`;
}

/** @param {object} claim of the statement, checked. */
export function claimText({ counted, measured }) {
  if (counted) return `${figureText(counted.left)} ${counted.relation} ${figureText(counted.right)}`;
  const { measure, relation, limit, confidence, candidates } = measured;
  return `${measure} ${relation} ${limit}${confidence ? `, with confidence ${confidence} among ${candidates} candidates` : ""}`;
}
