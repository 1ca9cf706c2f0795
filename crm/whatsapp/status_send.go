package whatsapp

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

var _ crm.StatusMessenger = (*Messenger)(nil)

// toPost is how long a status post may take in the process that serves the line: its file
// is uploaded first.
func toPost(t times) time.Duration { return t.answer + postUpload + 5*time.Second }

// postUpload is how long the file of a status post may take to be uploaded.
const postUpload = 2 * time.Minute

type postArgs struct {
	ID   string
	Post crm.StatusPost
	File *crm.StatusFile
}

var postMethod = method[postArgs, int64]{"post status", toPost, func(ctx context.Context, m *Messenger, l crm.Line, a postArgs) (int64, error) {
	return m.postStatus(ctx, l, a)
}}

// PostStatus implements crm.StatusMessenger.
func (m *Messenger) PostStatus(ctx context.Context, l crm.Line, id string, p crm.StatusPost, file *crm.StatusFile) (int64, error) {
	return postMethod.call(ctx, m, l, postArgs{id, p, file})
}

func (m *Messenger) postStatus(ctx context.Context, l crm.Line, a postArgs) (at int64, err error) {
	s, cli, err := m.online(ctx, l)
	if err != nil {
		return 0, err
	}
	if cli == nil {
		return 0, crm.Unavailable("no account is paired with this line")
	}
	message, err := s.statusMessage(ctx, cli, a)
	if err != nil {
		return 0, postAnswer(err)
	}
	if len(a.Post.Receivers) > 0 {
		if ctx, err = s.onlyTo(ctx, cli, a.Post.Receivers); err != nil {
			return 0, postAnswer(err)
		}
	} else if err := someContact(ctx, cli); err != nil {
		return 0, postAnswer(err)
	}
	when, err := s.transmit(ctx, cli, types.StatusBroadcastJID, message, whatsmeow.SendRequestExtra{ID: a.ID})
	if err != nil {
		return 0, postAnswer(err)
	}
	return when.Unix(), nil
}

// postAnswer turns an error of a status post into one of the rules.
func postAnswer(err error) error {
	var known *crm.Error
	var refusal *whatsmeow.IQError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, whatsmeow.ErrMessageTimedOut):
		return crm.Unavailable("WhatsApp did not answer in time: it is not known whether this was posted")
	case errors.As(err, &refusal), errors.Is(err, context.DeadlineExceeded):
		return answerOf(err)
	case serverCode(err) != 0:
		return &crm.Error{Code: crm.CodeConflict, Message: "WhatsApp refused the post (" + strconv.Itoa(serverCode(err)) + ")"}
	}
	return errReconnecting
}

// statusMessage returns the message of a post, whose file it uploads.
func (s *session) statusMessage(ctx context.Context, cli *whatsmeow.Client, a postArgs) (*waE2E.Message, error) {
	background := argb(a.Post.Background)
	if a.File == nil {
		text := &waE2E.ExtendedTextMessage{Text: &a.Post.Text, TextArgb: proto.Uint32(0xffffffff), BackgroundArgb: background}
		text.Font = waE2E.ExtendedTextMessage_FontType(a.Post.Font).Enum()
		return &waE2E.Message{ExtendedTextMessage: text}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, postUpload)
	defer cancel()
	file, err := s.m.rules.OpenPost(ctx, s.on, *a.File)
	if err != nil {
		return nil, err
	}
	defer file.Content.Close()
	ref := &crm.MessageRef{ID: a.ID, Type: postType(a.File.MimeType), Content: crm.Content{Caption: a.Post.Caption}}
	up, err := s.uploadFrom(ctx, cli, ref, file)
	if err != nil {
		return nil, err
	}
	if ref.Type == crm.MessageDocument {
		return nil, crm.Invalid("file", "cannot be shown as a status: it must be an image, an MP4 video, or a sound without a caption")
	}
	m := outgoing{item: ref, file: up}.withFile(nil)
	if m.AudioMessage != nil {
		m.AudioMessage.BackgroundArgb = background
	}
	return m, nil
}

// postType returns the type that a file is tried as. Sounds are voice messages.
func postType(mimeType string) string {
	switch kind, _, _ := strings.Cut(mimeType, "/"); kind {
	case "image":
		return crm.MessageImage
	case "video":
		return crm.MessageVideo
	}
	return crm.MessageVoice
}

// argb returns a colour such as #12aa55 without transparency, or nil.
func argb(color string) *uint32 {
	if color == "" {
		return nil
	}
	n, err := strconv.ParseUint(color[1:], 16, 24)
	if err != nil {
		return nil
	}
	return proto.Uint32(0xff000000 | uint32(n))
}

// someContact returns an error when the phone has no contact: nobody would see the post. The
// account's settings may name others who do.
func someContact(ctx context.Context, cli *whatsmeow.Client) error {
	known, err := cli.Store.Contacts.GetAllContacts(ctx)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.FullName != "" { // as whatsmeow tells contacts from names that people gave themselves
			return nil
		}
	}
	settings, err := cli.GetStatusPrivacy(ctx)
	if err == nil && settings[0].Type != types.StatusPrivacyTypeWhitelist {
		err = crm.Invalid("receivers", "are required: the phone has no contacts")
	}
	return err
}

// receiversKey is the key of the receivers of a status post in a context.
type receiversKey struct{}

// onlyTo lets whatsmeow post a status for these people alone. It posts for those contacts of
// the phone whom the account's settings let see it: here the store names others in their
// place. Settings that name who sees a status cannot be narrowed in this way.
func (s *session) onlyTo(ctx context.Context, cli *whatsmeow.Client, ids []string) (context.Context, error) {
	asked, cancel := context.WithTimeout(ctx, s.m.times.answer)
	defer cancel()
	settings, err := cli.GetStatusPrivacy(asked)
	if err != nil {
		return ctx, err
	}
	if settings[0].Type == types.StatusPrivacyTypeWhitelist {
		return ctx, &crm.Error{Code: crm.CodeConflict, Message: "the account's settings on the phone name who sees its status: post without receivers"}
	}
	people := map[types.JID]types.ContactInfo{}
	for _, id := range ids {
		j, err := jidOf(id)
		if err != nil {
			return ctx, err
		}
		who := s.person(asked, cli, j, types.EmptyJID)
		people[who.address(types.AddressingModeLID)] = types.ContactInfo{Found: true, FullName: id}
	}
	return context.WithValue(ctx, receiversKey{}, people), nil
}
