package whatsapp

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// handle is the door: everything that whatsmeow tells comes through here. True
// means that it is kept, or is nothing to keep; only then WhatsApp hears that it
// arrived. whatsmeow takes a panic for success, so it must not see one.
func (s *session) handle(ctx context.Context, cli *whatsmeow.Client, evt any) (kept bool) {
	defer func() {
		if p := recover(); p != nil {
			kept = s.panicked(ctx, cli, evt, p)
		}
	}()
	switch e := evt.(type) {
	// what people say and do
	case *events.Message:
		return s.message(ctx, cli, e)
	case *events.UndecryptableMessage:
		return s.unreadable(ctx, cli, e)
	case *events.Receipt:
		return s.receipt(ctx, cli, e)
	case *events.CallOffer:
		return s.call(ctx, cli, e.BasicCallMeta, callMedia(e.Data))
	case *events.CallOfferNotice:
		return s.call(ctx, cli, e.BasicCallMeta, e.Media)
	case *events.MediaRetry:
		return s.mediaAgain(ctx, cli, e)

	// what the account's owner does on the phone
	case *events.MarkChatAsRead:
		return s.markedRead(ctx, cli, e)
	case *events.LabelEdit:
		return s.label(ctx, e)
	case *events.LabelAssociationChat:
		return s.labelled(ctx, cli, e)
	case *events.Archive:
		return s.archived(ctx, cli, e)
	case *events.Contact:
		return s.contact(ctx, cli, e)

	// names
	case *events.PushName:
		return s.named(ctx, cli, pairOf(e.JID, e.JIDAlt), e.NewPushName)
	case *events.BusinessName:
		return s.named(ctx, cli, pairOf(e.JID, types.EmptyJID), e.NewBusinessName)
	case *events.JoinedGroup:
		return s.groupNamed(ctx, e.JID, e.GroupInfo.Name)
	case *events.GroupInfo:
		return e.Name == nil || s.groupNamed(ctx, e.JID, e.Name.Name)

	// the connection
	case *events.QR:
		s.codes(ctx, cli, e)
	case *events.PairSuccess:
		s.scanned(ctx, e.ID)
	case *events.PairError:
		s.notScanned(e)
	case *events.ManualLoginReconnect:
		s.end(ending{kind: endRelogin})
	case *events.Connected:
		s.connected(ctx, cli)
	case *events.Disconnected:
		s.end(ending{kind: endLost})
	case *events.KeepAliveTimeout:
		if time.Since(e.LastSuccess) > silence {
			s.end(ending{kind: endLost, detail: detailNoAnswer})
		}
	case *events.StreamError:
		s.end(ending{kind: endLost, detail: fmt.Sprintf("WhatsApp ended the connection (%s); it is being renewed.", content.Clip(e.Code, 32))})
	case *events.StreamReplaced:
		s.end(ending{kind: endReplaced})
	case *events.LoggedOut:
		s.end(ending{kind: endLoggedOut, detail: detailLoggedOut})
	case *events.TemporaryBan:
		s.end(banned(e, time.Now()))
	case *events.ClientOutdated:
		s.end(ending{kind: endOutdated})
	case *events.ConnectFailure:
		s.end(refused(e))
	case *events.CATRefreshError:
		s.end(ending{kind: endLost})
	case *events.PushNameSetting:
		s.rename(e.Action.GetName())
		s.present(ctx, cli)

	case *events.ChatPresence:
		s.typing(ctx, cli, e)

	// how the owner arranges the phone: the CRM has no such thing, and what it has
	// is the company's, not one phone's
	case *events.Pin, *events.Mute, *events.Star, *events.UnarchiveChatsSetting, *events.UserStatusMute,
		*events.LabelAssociationMessage: // labels are tags of chats
	// what the owner no longer wants to see on the phone: the company keeps it
	case *events.ClearChat, *events.DeleteChat, *events.DeleteForMe:
	// who is there, what they look like, what they say of themselves: not shown
	case *events.Presence, *events.Picture, *events.UserAbout:
	// how a call goes on: the offer is the message
	case *events.CallAccept, *events.CallPreAccept, *events.CallTransport, *events.CallRelayLatency, *events.CallTerminate,
		*events.CallReject, *events.UnknownCallEvent:
	// how far catching up is: each thing comes by itself
	case *events.AppState, *events.AppStateSyncComplete, *events.OfflineSyncPreview, *events.OfflineSyncCompleted,
		*events.KeepAliveRestored:
	// between devices and WhatsApp; whatsmeow does what is needed
	case *events.IdentityChange, *events.PrivacySettings, *events.Blocklist, *events.QRScannedWithoutMultidevice:
	// never asked for: history comes as a notification that we fetch ourselves
	// (message), and this is no client of Messenger's
	case *events.HistorySync, *events.FBMessage:
	// channels are not served
	case *events.NewsletterJoin, *events.NewsletterLeave, *events.NewsletterMuteChange, *events.NewsletterLiveUpdate:
	default:
		s.log.Info("an event of WhatsApp is not known to this version", "kind", fmt.Sprintf("%T", evt))
	}
	return true
}

// silence is how long WhatsApp may leave pings unanswered.
const silence = time.Minute

// panicked is what becomes of something that we could not handle. It may have
// been a moment's fault, so it is asked for again; what fails always would come
// for ever, and is kept as something unknown the third time.
func (s *session) panicked(ctx context.Context, cli *whatsmeow.Client, evt, reason any) (kept bool) {
	s.log.Error("a handler panicked", "kind", fmt.Sprintf("%T", evt), "panic", reason, "stack", string(debug.Stack()))
	if r, ok := evt.(*events.Receipt); ok && len(r.MessageIDs) > 0 && s.failures.more(r.MessageIDs[0]+string(r.Type)) < 3 {
		s.breakOff()
		return false
	}
	m, ok := evt.(*events.Message)
	if !ok {
		return true
	}
	if s.failures.more(m.Info.ID) < 3 {
		s.breakOff()
		return false
	}
	defer func() {
		if p := recover(); p != nil {
			kept = true
			s.log.Error("a message could not be saved", "message", m.Info.ID, "panic", p)
		}
	}()
	return s.ingest(ctx, crm.InboundBatch{Messages: []crm.InboundMessage{s.envelope(ctx, cli, &m.Info, &content.Content{Type: content.TypeUnknown, Subtype: "fault"})}})
}

// ingest has the rules keep what was told. A database that is unavailable may come back
// soon, so it is tried for a while before the connection is given up, and
// everything after it: what comes later must not overtake.
func (s *session) ingest(ctx context.Context, t crm.InboundBatch) (kept bool) {
	began := time.Now()
	for tries := 1; !s.broken.Load(); tries++ {
		_, err := s.m.rules.Ingest(ctx, s.on, t)
		if err == nil {
			return true
		}
		if refusal, ok := refusedByRules(err); ok {
			return s.refused(ctx, t, refusal)
		}
		for i := range t.Messages { // Ingest has discarded the attachments
			t.Messages[i].Attachment = nil
		}
		s.log.Warn("an inbound batch could not be ingested yet", "try", tries, "error", err)
		if ctx.Err() != nil {
			return false
		}
		if time.Since(began) > s.m.times.patience || wait(ctx, min(5*time.Second, time.Duration(tries)*200*time.Millisecond)) != nil {
			break
		}
	}
	s.breakOff()
	return false
}

// breakOff closes the connection: WhatsApp delivers again what it has no
// acknowledgement for.
func (s *session) breakOff() {
	if !s.broken.Swap(true) {
		s.end(ending{kind: endBroken})
	}
}

// refused is for what the rules never accept: whole, or at all. Asking for it
// again would never end. Of a message at least that it came is kept.
func (s *session) refused(ctx context.Context, t crm.InboundBatch, refusal *crm.Error) (kept bool) {
	s.log.Error("an inbound batch was refused by the rules", "error", refusal, "fields", refusal.Fields)
	if len(t.Messages) != 1 || t.Messages[0].Type == content.TypeUnknown {
		return true
	}
	m := t.Messages[0]
	subtype := "refused"
	m.Type, m.Subtype, m.Message, m.Attachment, m.Remote, m.UTM, m.QuotedMessageID = content.TypeUnknown, &subtype, crm.Content{}, nil, nil, nil, nil
	return s.ingest(ctx, crm.InboundBatch{Aliases: t.Aliases, Messages: []crm.InboundMessage{m}})
}

// connected is the line's good state.
func (s *session) connected(ctx context.Context, cli *whatsmeow.Client) {
	s.loggedIn.Store(true)
	if id := cli.Store.ID; id != nil {
		device, phone := id.String(), id.User
		s.mu.Lock()
		s.device = device
		s.mu.Unlock()
		s.endPairing(errPairingOver)
		s.set(ctx, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone, Detail: detailConnected})
	}
	notify(s.online)
	notify(s.outbox)
	notify(s.fetch)
	s.helpers.Go(func() {
		s.present(ctx, cli)
		s.nameGroups(ctx, cli)
	})
}

// ownName is the name that the account's owner gave themselves. whatsmeow has it
// too, and writes it whenever it likes.
func (s *session) ownName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

func (s *session) rename(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = name
}
