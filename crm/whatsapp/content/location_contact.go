package content

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"chatcast/crm"
)

// placeContent returns the content of a location or a live location, or nil.
func placeContent(m *waE2E.Message) *Content {
	if l := m.GetLocationMessage(); l != nil {
		s := newLocation("", l.GetDegreesLatitude(), l.GetDegreesLongitude(), l.GetContextInfo())
		s.Content.Location.Name, s.Content.Location.Address = l.GetName(), l.GetAddress()
		s.Content.Caption = l.GetComment()
		if l.GetIsLive() {
			s.Subtype = "liveLocation"
			s.moving(l.GetAccuracyInMeters(), l.GetSpeedInMps(), 0)
		}
		return s
	}
	if l := m.GetLiveLocationMessage(); l != nil {
		s := newLocation("liveLocation", l.GetDegreesLatitude(), l.GetDegreesLongitude(), l.GetContextInfo())
		s.Content.Caption = l.GetCaption()
		s.moving(l.GetAccuracyInMeters(), l.GetSpeedInMps(), l.GetSequenceNumber())
		return s
	}
	return nil
}

// moving adds what a live location tells of the way there.
func (s *Content) moving(accuracy uint32, speed float32, sequence int64) {
	l := s.Content.Location
	l.Accuracy = int64(min(accuracy, math.MaxInt32))
	if speed > 0 && speed < maxSpeed { // not NaN
		l.Speed = float64(speed)
	}
	if sequence > 0 && sequence < 1<<53 {
		l.Sequence = sequence
	}
}

// maxSpeed is beyond that of anything with a phone in it, in metres in a second.
const maxSpeed = 100_000

func newLocation(subtype string, latitude, longitude float64, from *waE2E.ContextInfo) *Content {
	return &Content{Type: crm.MessageLocation, Subtype: subtype, Context: from, Content: crm.Content{Location: &crm.Location{
		Latitude: degrees(latitude, 90), Longitude: degrees(longitude, 180),
	}}}
}

// degrees limits an angle to ±most, because no place exists outside these bounds. NaN
// becomes 0.
func degrees(x, most float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return max(-most, min(most, x))
}

// contactContent returns the content of a message with one or more contact cards, or nil.
func contactContent(m *waE2E.Message) *Content {
	var cards []*waE2E.ContactMessage
	var from *waE2E.ContextInfo
	switch {
	case m.GetContactMessage() != nil:
		cards, from = []*waE2E.ContactMessage{m.GetContactMessage()}, m.GetContactMessage().GetContextInfo()
	case m.GetContactsArrayMessage() != nil:
		cards, from = m.GetContactsArrayMessage().GetContacts(), m.GetContactsArrayMessage().GetContextInfo()
	default:
		return nil
	}
	s := &Content{Type: crm.MessageContact, Context: from}
	for _, card := range cards {
		if len(s.Content.Contacts) == maxCards {
			break
		}
		s.Content.Contacts = append(s.Content.Contacts, contactCard(card))
	}
	s.keepCards(cards)
	if len(s.Content.Contacts) == 0 { // an empty list
		return &Content{Type: TypeUnknown, Subtype: "contactsArrayMessage", Context: from}
	}
	first := s.Content.Contacts[0]
	s.Content.Contact = &first
	if len(s.Content.Contacts) == 1 {
		s.Content.Contacts = nil
	}
	return s
}

// keepCards keeps the cards as their sender has them, if all of them together are short: a
// card may have a picture in it.
func (s *Content) keepCards(cards []*waE2E.ContactMessage) {
	all := 0
	for _, card := range cards {
		all += len(card.GetVcard())
	}
	if all > maxVCardKept {
		return
	}
	for i := range s.Content.Contacts {
		s.Content.Contacts[i].VCard = Clip(cards[i].GetVcard(), maxVCardKept)
	}
}

// maxCards is the number of contacts that WhatsApp allows in one message.
const maxCards = 257

var (
	vcardName  = regexp.MustCompile(`(?mi)^FN(?:;[^:\r\n]*)?:(.*)$`)
	vcardPhone = regexp.MustCompile(`(?mi)^(?:item\d+\.)?TEL((?:;[^:\r\n]*)?):(.*)$`)
	vcardWAID  = regexp.MustCompile(`(?i);waid=(\d+)`)
)

// contactCard reads a vCard, with all its numbers. It prefers the WhatsApp number in the parameter waid, which
// is more exact than the number that the card shows.
func contactCard(m *waE2E.ContactMessage) crm.ContactCard {
	card := crm.ContactCard{Name: m.GetDisplayName()}
	vcard := m.GetVcard()
	if len(vcard) > maxVCard {
		vcard = vcard[:maxVCard]
	}
	if name := vcardName.FindStringSubmatch(vcard); card.Name == "" && name != nil {
		card.Name = strings.TrimSpace(name[1])
	}
	exact := false
	for _, phone := range vcardPhone.FindAllStringSubmatch(vcard, -1) {
		number := strings.TrimSpace(phone[2])
		id := vcardWAID.FindStringSubmatch(phone[1])
		if id != nil {
			number = "+" + id[1]
		}
		if number == "" || len(card.Phones) == maxPhones || slices.Contains(card.Phones, number) {
			continue
		}
		card.Phones = append(card.Phones, number)
		if card.Phone == "" || id != nil && !exact {
			card.Phone, exact = number, id != nil
		}
	}
	if len(card.Phones) < 2 {
		card.Phones = nil
	}
	return card
}

// maxPhones is how many numbers of one card are kept.
const maxPhones = 32

const (
	maxVCard     = 64 << 10 // that is read
	maxVCardKept = 8 << 10  // of all cards of a message
)
