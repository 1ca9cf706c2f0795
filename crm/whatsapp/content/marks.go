package content

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chatcast/crm"
)

// style is a set of the ways in which WhatsApp can show a piece of text.
type style uint8

const (
	bold style = 1 << iota
	italic
	strike
	code
	literal // a block that has its own marks
)

// marks are WhatsApp's signs around a styled text. Code is the innermost: WhatsApp shows
// marks in it as they are.
var marks = []struct {
	style style
	sign  string
}{{bold, "*"}, {italic, "_"}, {strike, "~"}, {code, "`"}}

// Marked returns a text with the marks of WhatsApp instead of those of parseMode, which is
// markdown, html or empty. What WhatsApp cannot mark is plain text. A text that has nothing
// to show is returned as it is, and so is one that would be longer than a message.
func Marked(text, parseMode string) string {
	var d document
	switch parseMode {
	case "markdown":
		if signs(text) > maxSigns || deepest(text) > maxNested {
			return text
		}
		d.markdown([]byte(text))
	case "html":
		d.html(text)
	default:
		return text
	}
	shown := d.String()
	if strings.TrimSpace(shown) == "" || utf8.RuneCountInString(shown) > crm.MaxText {
		return text
	}
	return shown
}

// maxSigns bounds the signs of Markdown in a text: with 65,536 of them the parser takes ten
// seconds.
const maxSigns = 4096

func signs(text string) (n int) {
	for _, b := range []byte(text) {
		if strings.IndexByte("*_~`[]!<>&\\", b) >= 0 {
			n++
		}
	}
	return n
}

// maxNested bounds the lists and quotes that a line of Markdown begins within each other:
// with 32,768 of them the parser takes seven seconds.
const maxNested = 64

// deepest returns the most signs of lists and quotes that a line begins with.
func deepest(text string) (most int) {
	for line := range strings.Lines(text) {
		n := 0
		for ok := true; ok; n++ {
			line, ok = strings.CutPrefix(strings.TrimLeft(line, " \t"), ">")
			if !ok {
				line = strings.TrimLeft(line, "0123456789")
				if ok = len(line) > 1 && strings.IndexByte("-+*.)", line[0]) >= 0 && unicode.IsSpace(rune(line[1])); ok {
					line = line[1:]
				}
			}
		}
		most = max(most, n-1)
	}
	return most
}

// piece is a text in one style, within a line.
type piece struct {
	text  string
	style style
}

// document is a text that is being made, line by line.
type document struct {
	lines  [][]piece
	prefix string // of the lines to come, such as of a quote
	item   string // of the next line only, instead of as many of the prefix's last characters
	gap    bool   // an empty line is to come before the next text
}

// text adds text in a style. Its newlines begin new lines.
func (d *document) text(text string, s style) {
	for i, part := range strings.Split(text, "\n") {
		if i > 0 {
			d.newline()
		}
		if part = strings.TrimSuffix(part, "\r"); part != "" {
			d.open()
			last := len(d.lines) - 1
			d.lines[last] = append(d.lines[last], piece{part, s})
		}
	}
}

// open begins a line, unless one is begun.
func (d *document) open() {
	if len(d.lines) > 0 && len(d.lines[len(d.lines)-1]) > 0 {
		return
	}
	if d.gap && len(d.lines) > 1 {
		d.lines = append(d.lines, nil)
	}
	d.gap = false
	if len(d.lines) == 0 {
		d.lines = append(d.lines, nil)
	}
	if lead := d.prefix + d.item; lead != "" {
		d.lines[len(d.lines)-1] = append(d.lines[len(d.lines)-1], piece{lead, literal})
	}
	d.item = ""
}

// newline ends the line.
func (d *document) newline() { d.lines = append(d.lines, nil) }

// block ends the line, when one is begun.
func (d *document) block() {
	if len(d.lines) > 0 && len(d.lines[len(d.lines)-1]) > 0 {
		d.newline()
	}
}

// pre adds a text as a block of code.
func (d *document) pre(text string) {
	text = strings.Trim(text, "\r\n")
	d.block()
	if strings.Contains(text, "```") || d.prefix != "" || strings.TrimSpace(text) == "" {
		d.text(text, 0)
	} else {
		d.text("```"+text+"```", literal)
	}
	d.block()
}

func (d *document) String() string {
	lines := make([]string, len(d.lines))
	for i, line := range d.lines {
		lines[i] = strings.TrimRightFunc(markLine(line), unicode.IsSpace)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// span is a part of a line, in bytes, that gets a mark.
type span struct {
	from, to int
	sign     string
}

// maxSpans bounds the marks of a line. What is beyond them is plain.
const maxSpans = 512

// markLine returns a line with its marks.
func markLine(line []piece) string {
	var text strings.Builder
	for _, p := range line {
		text.WriteString(p.text)
	}
	whole := text.String()
	var spans []span
	for _, m := range marks {
		for _, s := range spansOf(line, m.style) {
			s.sign = m.sign
			if s, ok := s.fits(whole); ok && len(spans) < maxSpans && !slices.ContainsFunc(spans, s.crosses) {
				spans = append(spans, s)
			}
		}
	}
	return insert(whole, spans)
}

// spansOf returns the parts of a line that have a style, each as long as possible.
func spansOf(line []piece, s style) (spans []span) {
	at, open := 0, false
	for _, p := range line {
		if has := p.style&s != 0; has && open {
			spans[len(spans)-1].to = at + len(p.text)
		} else if open = has; has {
			spans = append(spans, span{from: at, to: at + len(p.text)})
		}
		at += len(p.text)
	}
	return spans
}

// fits returns the span without the spaces around it, and whether WhatsApp would show it:
// not within a word, and not when the text has the sign itself.
func (s span) fits(text string) (span, bool) {
	in := text[s.from:s.to]
	s.from += len(in) - len(strings.TrimLeftFunc(in, unicode.IsSpace))
	in = strings.TrimSpace(in)
	s.to = s.from + len(in)
	before, _ := utf8.DecodeLastRuneInString(text[:s.from])
	after, _ := utf8.DecodeRuneInString(text[s.to:])
	return s, in != "" && !strings.Contains(in, s.sign) && !inWord(before) && !inWord(after)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// crosses reports whether two spans overlap and neither is within the other, or one of
// them is code around the other.
func (s span) crosses(o span) bool {
	if s.to <= o.from || o.to <= s.from {
		return false
	}
	within := s.from >= o.from && s.to <= o.to
	around := o.from >= s.from && o.to <= s.to
	return !within && !around || s.sign == "`" && !within
}

// insert puts the signs of spans into a text. Where several begin or end together, they
// nest in the order of spans.
func insert(text string, spans []span) string {
	open, end := map[int]string{}, map[int]string{}
	slices.SortStableFunc(spans, func(a, b span) int { return (b.to - b.from) - (a.to - a.from) }) // the longer is outside
	for _, s := range spans {
		open[s.from] += s.sign
		end[s.to] = s.sign + end[s.to]
	}
	var out strings.Builder
	for i := 0; i <= len(text); i++ {
		out.WriteString(end[i])
		out.WriteString(open[i])
		if i < len(text) {
			out.WriteByte(text[i])
		}
	}
	return out.String()
}
