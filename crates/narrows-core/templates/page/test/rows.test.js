/* Sorting and filtering, the address, commands, CSV. */

import assert from "node:assert/strict";
import test from "node:test";

import { NO_FILTER, RowList, isFiltered } from "../row_list.js";
import { csvCell, csvText } from "../csv.js";
import { curl, explaining, ruleText, shellWord, withThreshold } from "../command.js";
import { fragment, fromFragment } from "../address.js";
import { rowsJson, typedCell } from "../typed_row.js";

const reason = (column, got) => ({ column, share: 0.5, expected: "1", got, direction: "above" });
const data = {
  noun: { one: "row", many: "rows" },
  rows: {
    row: [0, 1, 2, 3, 4],
    score: [2, null, 9, 2, 0.5],
    p_value: [0.1, null, 0.01, 0.1, 0.9],
    label: [0, 1, 1, null, 0],
    ids: [{ name: "id", values: ["b10", "b9", "", "a1", "B2"] }],
  },
  details: { of: [2, 0], reasons: [[reason("amount", "980")], [reason("Country", "XX")]] },
};
const rows = new RowList(data);
const order = (key, isDescending) => [...rows.order(key, isDescending)];
const visible = (filter, threshold = 1.5) => [
  ...rows.visible({ threshold, sort: { key: "row", isDescending: false }, filter: { ...NO_FILTER, ...filter } }),
];

test("every column sorts, ties in the order of the file, missing values last", () => {
  assert.deepEqual(order("score", true), [2, 0, 3, 4, 1]);
  assert.deepEqual(order("score", false), [4, 0, 3, 2, 1]);
  assert.deepEqual(order("row", true), [4, 3, 2, 1, 0]);
  assert.deepEqual(order("id:0", false), [3, 4, 1, 0, 2]);
  assert.deepEqual(order("id:0", true), [0, 1, 4, 3, 2]);
  assert.deepEqual(order("label", false), [1, 2, 0, 4, 3]);
  assert.deepEqual(order("reasons", false), [2, 0, 1, 3, 4]);
  assert.deepEqual(
    rows.columns.map(column => column.key),
    ["row", "score", "p_value", "label", "id:0", "reasons"],
  );
});

test("ids that are numbers sort as numbers", () => {
  const list = new RowList({
    rows: { row: [0, 1, 2], score: [1, 1, 1], p_value: [1, 1, 1], ids: [{ name: "n", values: ["10", "-9", "2.5"] }] },
  });
  assert.deepEqual([...list.order("id:0", false)], [1, 2, 0]);
});

test("filters hold together", () => {
  assert.deepEqual(visible({}), [0, 1, 2, 3, 4]);
  assert.deepEqual(visible({ onlyFlagged: true }), [0, 2, 3]);
  assert.deepEqual(visible({ onlyFlagged: true }, 2), [2]);
  assert.deepEqual(visible({ low: 1, high: 2 }), [0, 3]);
  assert.deepEqual(visible({ label: "anomalous" }), [1, 2]);
  assert.deepEqual(visible({ text: "AMOUNT 980" }), [2]);
  assert.deepEqual(visible({ text: "country" }), [0]);
  assert.deepEqual(visible({ text: "b" }), [0, 1, 4]);
  assert.deepEqual(visible({ picked: { name: "x", rows: new Set([4, 0]) }, low: 1 }), [0]);
  assert.ok(!isFiltered(NO_FILTER) && isFiltered({ ...NO_FILTER, low: 0 }));
});

test("a row at the threshold is not flagged", () => {
  assert.deepEqual(
    [rows.flaggedCount(2), rows.flaggedCount(1.9), rows.isFlagged(0, 2), rows.isFlagged(1, -1)],
    [1, 3, false, false],
  );
});

test("the address tells the state and reads back", () => {
  const standard = { threshold: 3, sort: { key: "score", isDescending: true } };
  assert.equal(fragment({ ...standard, filter: NO_FILTER }, standard), "");
  const state = {
    threshold: 0.1,
    sort: { key: "id:0", isDescending: false },
    filter: { ...NO_FILTER, text: "a&b=c ü", low: 1, label: "normal", onlyFlagged: true },
  };
  const text = fragment(state, standard);
  assert.match(text, /^#explore:/);
  assert.deepEqual(fromFragment(text, ["id:0"]), state);
  assert.deepEqual(fromFragment("#new-data", ["row"]), {});
  assert.deepEqual(fromFragment("#explore:t=abc&sort=-nothing&from=&label=<b>", ["row"]), { filter: NO_FILTER });
});

test("commands name the threshold, and quote what a shell would read otherwise", () => {
  assert.equal(
    withThreshold("narrows score m.narrows new.csv --explain 3", 4.5),
    "narrows score m.narrows new.csv --explain 3 --threshold fixed=4.5",
  );
  assert.equal(
    withThreshold("narrows score m n --threshold 'fixed=1' --top 3", 2),
    "narrows score m n --top 3 --threshold fixed=2",
  );
  assert.equal(
    explaining("narrows score m.narrows 'a b.csv' --explain 3", 17),
    "narrows explain m.narrows 'a b.csv' --row 17",
  );
  assert.equal(explaining("other", 1), null);
  assert.deepEqual(
    [{ rule: "max" }, { rule: "false_alarm_rate", rate: 0.01 }, { rule: "pot", rate: 0.001, tail: 0.95 }].map(ruleText),
    ["max", "false_alarm_rate=0.01", "pot=0.001,tail=0.95"],
  );
  assert.equal(shellWord("it's"), "'it'\\''s'");
  assert.equal(
    curl("http://h/x?y=1", '[{"a": "$(id)"}]'),
    `curl -s 'http://h/x?y=1' -H 'Content-Type: application/json' -d '[{"a": "$(id)"}]'`,
  );
});

test("CSV is quoted, and formulas are text", () => {
  assert.deepEqual(["a", 'b"c', "d,e", "f\ng", " h", null, undefined, 1.5, true].map(csvCell), [
    "a",
    '"b""c"',
    '"d,e"',
    '"f\ng"',
    '" h"',
    "",
    "",
    "1.5",
    "true",
  ]);
  assert.deepEqual(["=1+1", "@x", "+x", "-x", "\tx", "-5", "+1e3", "-"].map(csvCell), [
    "'=1+1",
    "'@x",
    "'+x",
    "'-x",
    "'\tx",
    "-5",
    "+1e3",
    "'-",
  ]);
  assert.equal(csvCell('=HYPERLINK("a","b")'), `"'=HYPERLINK(""a"",""b"")"`);
  assert.equal(
    csvText(
      ["a", "b"],
      [
        [1, "x,y"],
        [null, "z"],
      ],
    ),
    'a,b\r\n1,"x,y"\r\n,z\r\n',
  );
});

test("a typed row becomes JSON of its kinds", () => {
  const columns = [
    { name: "n", kind: "number" },
    { name: "c", kind: "category" },
    { name: "__proto__", kind: "number" },
  ];
  assert.deepEqual(
    [" 1.50 ", "", "abc"].map(text => typedCell(columns[0], text)),
    [1.5, null, "abc"],
  );
  assert.deepEqual(
    ["1.50", ""].map(text => typedCell(columns[1], text)),
    ["1.50", null],
  );
  assert.equal(rowsJson(columns, ["−3", 'a"b', "7"]), '[{"n": -3, "c": "a\\"b", "__proto__": 7}]');
});
