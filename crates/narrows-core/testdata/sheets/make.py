"""Writes book.xlsx and book.ods: small workbooks with a title, dates, an error, a blank row and two sheets."""

import zipfile


def write(name, parts):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts:
            info = zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if path == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, text)


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def text(place, word):
    return f'<c r="{place}" t="inlineStr"><is><t>{word}</t></is></c>'


# 45322 is 2024-01-31; 45323.270833333336 is 2024-02-01 06:30; style 1 is a date.
data = f'''{XML}<worksheet xmlns="{MAIN}"><sheetData>
<row r="1">{text("A1", "Measurements of today")}</row>
<row r="2">{text("A2", "when")}{text("B2", "n")}{text("C2", "ok")}{text("D2", "word")}</row>
<row r="3"><c r="A3" s="1"><v>45322</v></c><c r="B3"><v>1.5</v></c><c r="C3" t="b"><v>1</v></c>{text("D3", "x")}</row>
<row r="5"><c r="A5" s="1"><v>45323.270833333336</v></c><c r="B5"><v>2</v></c><c r="C5" t="b"><v>0</v></c>{text("D5", "y")}</row>
<row r="6"><c r="A6" s="1"><v>45324</v></c><c r="B6" t="e"><v>#DIV/0!</v></c><c r="C6" t="b"><v>1</v></c>{text("D6", "0007")}</row>
</sheetData></worksheet>'''
other = f'''{XML}<worksheet xmlns="{MAIN}"><sheetData>
<row r="1">{text("A1", "a")}{text("B1", "b")}</row>
<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>
<row r="3"><c r="A3"><v>3</v></c><c r="B3"><v>4</v></c></row>
</sheetData></worksheet>'''
write("book.xlsx", [
    ("[Content_Types].xml", f'''{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/worksheets/sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>'''),
    ("_rels/.rels", f'''{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'''),
    ("xl/workbook.xml", f'''{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/><sheet name="Other" sheetId="2" r:id="rId2"/></sheets></workbook>'''),
    ("xl/_rels/workbook.xml.rels", f'''{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{OFFICE}/worksheet" Target="worksheets/sheet2.xml"/><Relationship Id="rId3" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'''),
    ("xl/styles.xml", f'''{XML}<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'''),
    ("xl/worksheets/sheet1.xml", data),
    ("xl/worksheets/sheet2.xml", other),
])

OASIS = "urn:oasis:names:tc:opendocument:xmlns"


def cell(kind, value, shown=""):
    attribute = {"float": "value", "date": "date-value", "boolean": "boolean-value"}.get(kind)
    given = f' office:{attribute}="{value}"' if attribute else ""
    return f'<table:table-cell office:value-type="{kind}"{given}><text:p>{shown or value}</text:p></table:table-cell>'


def row(*cells):
    return f'<table:table-row>{"".join(cells)}</table:table-row>'


EMPTY = "<table:table-cell/>"
content = f'''{XML}<office:document-content xmlns:office="{OASIS}:office:1.0" xmlns:table="{OASIS}:table:1.0" xmlns:text="{OASIS}:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="Data">
{row(cell("string", "Measurements of today"))}
{row(*(cell("string", word) for word in ("when", "n", "ok", "word")))}
{row(cell("date", "2024-01-31"), cell("float", "1.5"), cell("boolean", "true"), cell("string", "x"))}
{row(EMPTY)}
{row(cell("date", "2024-02-01 06:30:00"), cell("float", "2"), cell("boolean", "false"), cell("string", "y"))}
{row(cell("date", "2024-02-02"), EMPTY, cell("boolean", "true"), cell("string", "0007"))}
</table:table>
<table:table table:name="Other">
{row(cell("string", "a"), cell("string", "b"))}
{row(cell("float", "1"), cell("float", "2"))}
</table:table>
</office:spreadsheet></office:body></office:document-content>'''
write("book.ods", [
    ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    ("META-INF/manifest.xml", f'''{XML}<manifest:manifest xmlns:manifest="{OASIS}:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'''),
    ("content.xml", content),
])
