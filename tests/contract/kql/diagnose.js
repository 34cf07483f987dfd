// Microsoft's own KQL parser on the texts of standard input, a JSON list; prints the diagnostics of each as JSON.
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const folder = path.join(process.argv[2], "@kusto", "language-service-next");
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), "utf8"), { filename: file });
}

const schema = JSON.parse(process.argv[3]);
const symbols = Kusto.Language.Symbols;
const tables = Object.entries(schema).map(([name, columns]) => symbols.TableSymbol.From(`(${columns})`).WithName(name));
const database = new symbols.DatabaseSymbol.ctor("ResourceGraph", tables);
const globals = Kusto.Language.GlobalState.Default.WithDatabase(database);
const diagnose = (text) => {
  const found = Kusto.Language.KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, i) => found.getItem(i).Message);
};
console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(diagnose)));
