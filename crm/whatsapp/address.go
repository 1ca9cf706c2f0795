package whatsapp

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

var (
	errNothing       = errors.New("whatsapp: the item has no message")
	errNowhere       = errors.New("whatsapp: the chat has no address")
	errNotOnWhatsApp = errors.New("whatsapp: the number has no WhatsApp")
	errNotKept       = errors.New("whatsapp: what WhatsApp answered could not be stored")
)

// recipient returns the address of an item's chat. WhatsApp is asked about a number that
// nobody has written from or whose hidden id is not known: its answer is the chat's
// address from then on, and an answer that comes from the hidden id alone finds the chat.
// item gets the ids that the chat has then.
//
// direct is the address that something is sent to: the hidden id when it is known, to
// WhatsApp or to us. A number may become another person's at any time, a hidden id never
// does.
func (s *session) recipient(ctx context.Context, cli *whatsmeow.Client, item *crm.OutboxItem) (to, direct types.JID, err error) {
	to, err = jidOf(item.ChatID)
	if err != nil || to.User == "" {
		return to, to, errNowhere
	}
	if direct = to; item.LID != "" {
		if direct, err = jidOf(item.LID); err != nil {
			return to, to, err
		}
	}
	if to.Server != types.DefaultUserServer || item.Kind == crm.OutRead {
		return to, direct, nil
	}
	typed := to.User
	known := s.person(ctx, cli, to, types.EmptyJID)
	if known.LID.IsEmpty() || item.FirstContact && item.Kind == crm.OutMessage {
		if known, err = s.lookUp(ctx, cli, typed); err != nil {
			return to, to, err
		}
	}
	lid := chatID(known.LID)
	switch {
	case lid != "":
		direct = known.LID
	case item.LID == "":
		direct = known.PN
	}
	if known.PN.User == typed && lid == item.LID {
		return to, direct, nil
	}
	moved := item.LID != "" && lid != "" && lid != item.LID // the number is another person's now
	alias := crm.InboundAlias{Phone: content.ID(known.PN.User)}
	if lid != "" {
		alias.LID = content.ID(lid)
	}
	if known.PN.User != typed {
		alias.Typed = content.ID(typed)
	}
	if lid == "" && known.PN.User == typed {
		return to, direct, nil
	}
	if !s.ingest(ctx, crm.InboundBatch{Aliases: []crm.InboundAlias{alias}}) {
		return to, direct, errNotKept
	}
	if moved { // what was written to one person must not reach another
		s.uploads.rename(item.ChatID, item.LID)
		item.ChatID = item.LID
		to, err = jidOf(item.LID)
		return to, to, err
	}
	s.uploads.rename(item.ChatID, chatID(known.PN))
	item.ChatID, item.LID = chatID(known.PN), cmp.Or(lid, item.LID)
	return known.PN, direct, nil
}

// lookUp asks WhatsApp for the person with a number, in each way to write it. Other chats
// wait meanwhile, so it does not wait for an answer as long as whatsmeow would.
func (s *session) lookUp(ctx context.Context, cli *whatsmeow.Client, typed string) (pair, error) {
	ctx, cancel := context.WithTimeout(ctx, s.m.times.ask)
	defer cancel()
	found, err := lookUpAll(ctx, cli, []string{typed})
	if err != nil {
		return pair{}, err
	}
	if !found[typed].exists {
		return pair{}, errNotOnWhatsApp
	}
	return found[typed].pair, nil
}

// lookedUp is what WhatsApp answers about a number.
type lookedUp struct {
	pair
	exists   bool
	business string // the name that WhatsApp has verified; empty: none
}

// lookUpAll asks WhatsApp for the people with these numbers in one question, each in each
// way to write it. WhatsApp may know a person by another number than the one that was
// typed, or by the hidden id alone, which then stands for the number that was typed.
// Nothing is remembered of a number without WhatsApp, because its owner may join at any
// time. A number that WhatsApp did not answer has no entry.
func lookUpAll(ctx context.Context, cli *whatsmeow.Client, numbers []string) (map[string]lookedUp, error) {
	var asked []string
	typed := map[string][]string{} // by what was asked about
	for _, number := range numbers {
		for _, form := range []string{number, crm.OtherSpelling(number)} {
			if form == "" {
				continue
			}
			if typed[form] == nil {
				asked = append(asked, "+"+form)
			}
			typed[form] = append(typed[form], number)
		}
	}
	answers, err := cli.IsOnWhatsApp(ctx, asked)
	if err != nil {
		return nil, err
	}
	found := map[string]lookedUp{}
	for _, answer := range answers {
		query := strings.TrimPrefix(answer.Query, "+")
		about := typed[query]
		if len(numbers) == 1 && about == nil { // WhatsApp need not repeat what it was asked
			query, about = numbers[0], numbers
		}
		for _, number := range about {
			p, before := pairOf(answer.JID, answer.PhoneNumber), found[number]
			if !answer.IsIn || p == (pair{}) || before.exists && query != number {
				found[number] = before
				continue
			}
			if p, err = withNumber(ctx, cli, p, query); err != nil {
				return nil, err
			}
			found[number] = lookedUp{pair: p, exists: true, business: verifiedName(answer.VerifiedName)}
		}
	}
	return found, nil
}

// withNumber returns p with the number that is known of the hidden id. Without one it is
// the number that was asked about.
func withNumber(ctx context.Context, cli *whatsmeow.Client, p pair, asked string) (pair, error) {
	if !p.PN.IsEmpty() {
		return p, nil
	}
	pn, err := cli.Store.LIDs.GetPNForLID(ctx, p.LID)
	if err != nil {
		return p, err
	}
	if p.PN = pn.ToNonAD(); !p.PN.IsEmpty() {
		return p, nil
	}
	p.PN = types.NewJID(asked, types.DefaultUserServer)
	return p, cli.Store.LIDs.PutLIDMapping(ctx, p.LID, p.PN)
}

// cardNumber returns the number that WhatsApp knows a person of a contact card by, or ""
// when the person has no WhatsApp. It returns the number of the card when WhatsApp cannot
// be asked.
func (s *session) cardNumber(ctx context.Context, cli *whatsmeow.Client, phone string) string {
	number := justDigits(phone)
	if !digits.MatchString(number) {
		return ""
	}
	who := s.person(ctx, cli, types.NewJID(number, types.DefaultUserServer), types.EmptyJID)
	if !who.LID.IsEmpty() {
		return number
	}
	found, err := s.lookUp(ctx, cli, number)
	switch {
	case errors.Is(err, errNotOnWhatsApp):
		return ""
	case err != nil:
		return number
	}
	return found.PN.User
}

func justDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
