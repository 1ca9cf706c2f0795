package content

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var markdownParser = goldmark.New(goldmark.WithExtensions(extension.Strikethrough)).Parser()

// markdown adds a text with the marks of CommonMark, and ~~ for struck text.
func (d *document) markdown(source []byte) {
	d.blocks(markdownParser.Parse(text.NewReader(source)), source)
}

// blocks adds the blocks in a node.
func (d *document) blocks(parent ast.Node, source []byte) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		d.block()
		d.gap = d.gap || n.HasBlankPreviousLines()
		d.one(n, source)
	}
	d.block()
}

// one adds a block.
func (d *document) one(n ast.Node, source []byte) {
	switch n := n.(type) {
	case *ast.Heading:
		d.inlines(n, source, bold)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		d.pre(linesOf(n, source))
	case *ast.HTMLBlock:
		whole := linesOf(n, source)
		if n.HasClosure() {
			whole += string(n.ClosureLine.Value(source))
		}
		d.text(strings.TrimRight(whole, "\r\n"), 0)
	case *ast.Blockquote:
		d.within("> ", func() { d.blocks(n, source) })
	case *ast.List:
		d.list(n, source)
	case *ast.ThematicBreak:
		d.text("———", 0)
	default:
		if first := n.FirstChild(); first != nil && first.Type() != ast.TypeInline {
			d.blocks(n, source)
		} else {
			d.inlines(n, source, 0)
		}
	}
}

// within adds what f adds with a prefix before each line.
func (d *document) within(prefix string, f func()) {
	before := d.prefix
	if len(before) < maxIndent {
		d.prefix += prefix
	}
	f()
	d.prefix = before
}

// maxIndent bounds the prefix of lines: a text could be nested as deep as it is long.
const maxIndent = 32

// list adds a list. WhatsApp knows its items by their beginning; deeper ones are indented.
func (d *document) list(l *ast.List, source []byte) {
	number := l.Start
	for n := l.FirstChild(); n != nil; n = n.NextSibling() {
		d.block()
		item := "- "
		if l.IsOrdered() {
			item = fmt.Sprintf("%d. ", number)
			number++
		}
		d.item = item
		d.blocksOfItem(n, source)
	}
}

// blocksOfItem adds the blocks of an item of a list, of which all but the first line are
// indented.
func (d *document) blocksOfItem(item ast.Node, source []byte) {
	first := item.FirstChild()
	if first == nil || first.Kind() == ast.KindList {
		d.open()
	}
	for n := first; n != nil; n = n.NextSibling() {
		d.block()
		if n == first && n.Kind() != ast.KindList {
			d.one(n, source)
			continue
		}
		d.within("  ", func() { d.one(n, source) })
	}
}

// inlines adds the texts in a node, in a style.
func (d *document) inlines(parent ast.Node, source []byte, s style) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			d.text(unescaped(n.Segment.Value(source), n.IsRaw()), s)
			if n.SoftLineBreak() || n.HardLineBreak() {
				d.newline()
			}
		case *ast.String:
			d.text(string(n.Value), s)
		case *ast.CodeSpan:
			d.text(strings.ReplaceAll(rawText(n, source), "\n", " "), s|code)
		case *ast.Emphasis:
			if n.Level == 1 {
				d.inlines(n, source, s|italic)
			} else {
				d.inlines(n, source, s|bold)
			}
		case *extast.Strikethrough:
			d.inlines(n, source, s|strike)
		case *ast.Link:
			before := rawText(n, source)
			d.inlines(n, source, s)
			d.text(address(before, string(n.Destination)), 0)
		case *ast.Image:
			d.inlines(n, source, s)
			d.text(address(rawText(n, source), string(n.Destination)), 0)
		case *ast.AutoLink:
			d.text(string(n.Label(source)), 0)
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				segment := n.Segments.At(i)
				d.text(string(segment.Value(source)), s)
			}
		default:
			d.inlines(n, source, s)
		}
	}
}

// address returns what follows the text of a link: WhatsApp makes links of addresses alone.
func address(text, to string) string {
	switch text = strings.TrimSpace(text); {
	case to == "" || to == text || to == "mailto:"+text:
		return ""
	case text == "":
		return to
	}
	return " (" + to + ")"
}

// rawText returns the text in a node, without marks.
func rawText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte('\n')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// linesOf returns the lines of a block as they are.
func linesOf(n ast.Node, source []byte) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(source))
	}
	return b.String()
}

// unescaped returns a text without the backslashes and entities that stand for signs.
func unescaped(b []byte, raw bool) string {
	if raw {
		return string(b)
	}
	return string(util.UnescapePunctuations(util.ResolveEntityNames(util.ResolveNumericReferences(b))))
}
