package whatsapptest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// Votes are encrypted with a secret from the poll, bound to the poll, its author
// and the voter. The plaintext holds hashes of the chosen options.

// Poll returns a poll with a single choice.
func Poll(question string, options ...string) *waE2E.Message {
	m := &waE2E.PollCreationMessage{Name: &question, SelectableOptionsCount: proto.Uint32(1)}
	for _, o := range options {
		m.Options = append(m.Options, &waE2E.PollCreationMessage_Option{OptionName: &o})
	}
	return &waE2E.Message{PollCreationMessageV3: m, MessageContextInfo: &waE2E.MessageContextInfo{MessageSecret: randomBytes(32)}}
}

func pollOf(m *waE2E.Message) *waE2E.PollCreationMessage {
	for _, p := range []*waE2E.PollCreationMessage{
		m.GetPollCreationMessage(), m.GetPollCreationMessageV2(), m.GetPollCreationMessageV3(),
	} {
		if p != nil {
			return p
		}
	}
	return nil
}

func voteKey(secret []byte, poll string, author, voter types.JID) (key, bound []byte) {
	info := slices.Concat([]byte(poll), []byte(author.String()), []byte(voter.String()), []byte(whatsmeow.EncSecretPollVote))
	return hkdfutil.SHA256(secret, nil, info, 32), fmt.Appendf(nil, "%s\x00%s", poll, voter)
}

// Vote answers a poll that a client of the account sent to the contact. Without
// options it takes the vote back.
func (c *Contact) Vote(a *Account, poll string, options ...string) (id string, err error) {
	c.srv.mu.Lock()
	r := c.received(poll)
	c.srv.mu.Unlock()
	if r == nil || pollOf(r.Message) == nil {
		return "", fmt.Errorf("%s has no poll %s", c.number, poll)
	}
	secret := r.Raw.GetMessageContextInfo().GetMessageSecret()
	if len(secret) != 32 {
		return "", errors.New("the poll came without a secret")
	}
	opts := SendOpts{Addressing: ByNumber}
	if r.To.Server == types.HiddenUserServer {
		opts.Addressing = ByHiddenID
	}
	vote := new(waE2E.PollVoteMessage)
	for _, o := range options {
		sum := sha256.Sum256([]byte(o))
		vote.SelectedOptions = append(vote.SelectedOptions, sum[:])
	}
	plain, err := proto.Marshal(vote)
	if err != nil {
		return "", err
	}
	author, voter := a.as(r.To.Server), c.as(r.To.Server)
	key, bound := voteKey(secret, poll, author, voter)
	iv := randomBytes(12)
	sealed, err := gcmutil.Encrypt(key, iv, plain, bound)
	if err != nil {
		return "", err
	}
	return c.Send(a, &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{
		PollCreationMessageKey: &waCommon.MessageKey{RemoteJID: proto.String(author.String()), FromMe: proto.Bool(false), ID: &poll},
		Vote:                   &waE2E.PollEncValue{EncPayload: sealed, EncIV: iv},
		SenderTimestampMS:      proto.Int64(time.Now().UnixMilli()),
	}}, opts), nil
}

// ReadVote returns the options that a client of the account chose in a poll of the
// contact.
func (c *Contact) ReadVote(a *Account, r Received) ([]string, error) {
	update := r.Message.GetPollUpdateMessage()
	c.srv.mu.Lock()
	m := c.sent[update.GetPollCreationMessageKey().GetID()]
	c.srv.mu.Unlock()
	if m == nil || pollOf(m.message) == nil {
		return nil, errors.New("a vote in a poll that is not the contact's")
	}
	server := types.DefaultUserServer
	if m.addressing == ByHiddenID || m.addressing == HiddenIDOnly {
		server = types.HiddenUserServer
	}
	// whatsmeow votes under its number, whichever id the poll was addressed by.
	key, bound := voteKey(m.message.GetMessageContextInfo().GetMessageSecret(), m.id, c.as(server), a.number)
	plain, err := gcmutil.Decrypt(key, update.GetVote().GetEncIV(), update.GetVote().GetEncPayload(), bound)
	if err != nil {
		return nil, err
	}
	vote := new(waE2E.PollVoteMessage)
	if err := proto.Unmarshal(plain, vote); err != nil {
		return nil, err
	}
	var chosen []string
	for _, o := range pollOf(m.message).GetOptions() {
		sum := sha256.Sum256([]byte(o.GetOptionName()))
		if slices.ContainsFunc(vote.GetSelectedOptions(), func(h []byte) bool { return bytes.Equal(h, sum[:]) }) {
			chosen = append(chosen, o.GetOptionName())
		}
	}
	return chosen, nil
}
