/* Sphinx's search leaves numbers out of what is searched for. Here 401 is what many look for. */
if (typeof Search !== "undefined") {
  const parseQuery = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parsed = parseQuery(query);
    const [, searchTerms, , highlightTerms] = parsed;
    for (const number of query.match(/(?<![\w.])\d+(?![\w.])/g) ?? []) {
      searchTerms.add(number);
      highlightTerms.add(number);
    }
    return parsed;
  };
}
