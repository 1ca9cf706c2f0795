package content

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// styles are the tags whose text WhatsApp can mark.
var styles = map[atom.Atom]style{
	atom.B: bold, atom.Strong: bold, atom.H1: bold, atom.H2: bold, atom.H3: bold, atom.H4: bold, atom.H5: bold, atom.H6: bold,
	atom.I: italic, atom.Em: italic, atom.S: strike, atom.Strike: strike, atom.Del: strike, atom.Code: code, atom.Tt: code, atom.Kbd: code,
}

// blockTags are the tags that begin a line. A value is true for those with an empty line
// before them.
var blockTags = map[atom.Atom]bool{
	atom.P: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true,
	atom.Div: false, atom.Ul: false, atom.Ol: false, atom.Li: false, atom.Tr: false, atom.Table: false, atom.Section: false,
	atom.Blockquote: false, atom.Pre: false, atom.Hr: false,
}

// htmlReader reads the tags of a text. The tags of a text from a user need not match, so
// it counts what is open of each kind.
type htmlReader struct {
	d     *document
	open  map[style]int
	lists []int // of the lists that are open: the number of the next item, or -1 for bullets
	quote int
	mute  atom.Atom // the tag whose text is not shown
	code  *strings.Builder
	links []*htmlLink
	fresh bool // nothing is shown since the last block began or ended
}

type htmlLink struct {
	to   string
	text strings.Builder
}

// maxDepth bounds what may be open at once.
const maxDepth = 32

// html adds a text with tags. Unlike a browser it keeps newlines: people write them.
func (d *document) html(source string) {
	r := htmlReader{d: d, open: map[style]int{}, fresh: true}
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		switch t := z.Token(); kind {
		case html.TextToken:
			r.text(t.Data)
		case html.StartTagToken:
			r.start(t)
		case html.SelfClosingTagToken:
			r.start(t)
			r.end(t)
		case html.EndTagToken:
			r.end(t)
		}
	}
	if r.code != nil {
		d.pre(r.code.String())
	}
	for len(r.links) > 0 {
		r.endLink()
	}
}

func (r *htmlReader) text(text string) {
	if r.mute != 0 {
		return
	}
	if r.code != nil {
		r.code.WriteString(text)
		return
	}
	for _, l := range r.links {
		l.text.WriteString(text)
	}
	var s style
	for one, n := range r.open {
		if n > 0 {
			s |= one
		}
	}
	if r.fresh { // the spaces between blocks are of the source alone
		text = strings.TrimLeft(text, " \t\r\n")
	}
	if text != "" {
		r.fresh = false
		r.d.text(text, s)
	}
}

func (r *htmlReader) start(t html.Token) {
	if r.mute != 0 || r.code != nil {
		return
	}
	r.block(t.DataAtom)
	if s := styles[t.DataAtom]; s != 0 {
		r.open[s]++
	}
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Title:
		r.mute = t.DataAtom
	case atom.Br:
		r.d.open()
		r.d.newline()
	case atom.Hr:
		r.d.text("———\n", 0)
	case atom.Pre:
		r.code = &strings.Builder{}
	case atom.Blockquote:
		if r.quote++; r.quote == 1 {
			r.d.prefix = "> "
		}
	case atom.Ul, atom.Ol:
		if len(r.lists) < maxDepth {
			r.lists = append(r.lists, map[bool]int{true: 1, false: -1}[t.DataAtom == atom.Ol])
		}
	case atom.Li:
		r.item()
	case atom.A, atom.Img:
		r.link(t)
	}
}

// item begins an item of a list.
func (r *htmlReader) item() {
	r.d.item = "- "
	if n := len(r.lists); n > 0 {
		if number := r.lists[n-1]; number > 0 {
			r.d.item = fmt.Sprintf("%d. ", number)
			r.lists[n-1]++
		}
		r.d.item = strings.Repeat("  ", n-1) + r.d.item
	}
}

// link begins a link, or shows the text of a picture.
func (r *htmlReader) link(t html.Token) {
	var to, alt string
	for _, a := range t.Attr {
		switch a.Key {
		case "href", "src":
			to = a.Val
		case "alt":
			alt = a.Val
		}
	}
	if t.DataAtom == atom.Img {
		r.text(alt)
		r.d.text(address(alt, to), 0)
		r.fresh = r.fresh && alt+to == ""
		return
	}
	if len(r.links) < maxDepth {
		r.links = append(r.links, &htmlLink{to: strings.TrimSpace(to)})
	}
}

func (r *htmlReader) endLink() {
	l := r.links[len(r.links)-1]
	if !strings.HasPrefix(strings.ToLower(l.to), "javascript:") {
		r.d.text(address(l.text.String(), l.to), 0)
	}
	r.links = r.links[:len(r.links)-1]
}

func (r *htmlReader) end(t html.Token) {
	if r.mute != 0 {
		if t.DataAtom == r.mute {
			r.mute = 0
		}
		return
	}
	if r.code != nil {
		if t.DataAtom == atom.Pre {
			r.d.pre(r.code.String())
			r.code = nil
		}
		return
	}
	if s := styles[t.DataAtom]; s != 0 && r.open[s] > 0 {
		r.open[s]--
	}
	switch t.DataAtom {
	case atom.A:
		if len(r.links) > 0 {
			r.endLink()
		}
	case atom.Blockquote:
		if r.quote > 0 {
			if r.quote--; r.quote == 0 {
				r.d.block()
				r.d.prefix = ""
			}
		}
	case atom.Ul, atom.Ol:
		if len(r.lists) > 0 {
			r.lists = r.lists[:len(r.lists)-1]
		}
	}
	r.block(t.DataAtom)
}

// block ends the line at the tag of a block.
func (r *htmlReader) block(tag atom.Atom) {
	if gap, ok := blockTags[tag]; ok {
		r.d.block()
		r.d.gap, r.fresh = r.d.gap || gap, true
	}
}
