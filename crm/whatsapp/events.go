package whatsapp

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// handle handles every event of whatsmeow. It returns true when the event is committed
// or needs no storing; only then whatsmeow acknowledges it. whatsmeow treats a panic as
// success, so handle recovers from panics.
func (s *session) handle(ctx context.Context, cli *whatsmeow.Client, evt any) (kept bool) {
	defer func() {
		if p := recover(); p != nil {
			kept = s.panicked(ctx, cli, evt, p)
		}
	}()
	s.lookForPhone(evt)
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
	case *events.CallAccept:
		return s.callStep(ctx, e.BasicCallMeta, crm.CallAccept)
	case *events.CallReject:
		return s.callStep(ctx, e.BasicCallMeta, crm.CallReject)
	case *events.CallTerminate:
		return s.callEnded(ctx, e)
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
	case *events.Pin:
		return s.pinned(ctx, cli, e)
	case *events.Mute:
		return s.muted(ctx, cli, e)
	case *events.Contact:
		return s.contact(ctx, cli, e)
	case *events.DeleteChat:
		return s.chatGone(ctx, cli, e)
	case *events.Blocklist: // it may not have the changes
		s.helpers.Coalesce("blocklist", func() { s.readBlocklist(ctx, cli) })
	case *events.AppState: // all changes; most of them come as events of their own, too
		return s.hiddenContact(ctx, cli, e)

	// names and groups
	case *events.PushName:
		return s.named(ctx, cli, pairOf(e.JID, e.JIDAlt), e.NewPushName)
	case *events.BusinessName:
		return s.businessNamed(ctx, cli, e)
	case *events.JoinedGroup:
		return s.joinedGroup(ctx, cli, e)
	case *events.GroupInfo:
		return s.groupChanged(ctx, cli, e)
	case *events.Picture:
		return s.pictureChanged(ctx, cli, e)
	case *events.UserAbout: // those of other people are asked for
		if s.isOwn(cli, e.JID) {
			s.wantLooks(ctx, cli)
		}
	case *events.NewsletterJoin:
		s.channels.keep(e.ID, e.ThreadMeta.Name.Text)

	// the connection
	case *events.QR:
		s.codes(ctx, cli, e)
	case *events.RotateADVSecret:
		s.newSecret(e)
	case *events.PairPasskeyRequest:
		s.needsPasskey(ctx, e)
	case *events.PairPasskeyConfirmation:
		s.confirmation(ctx, e)
	case *events.PairPasskeyError:
		s.passkeyError(e)
	case *events.PairSuccess:
		s.scanned(ctx, e.ID)
	case *events.PairError:
		s.notScanned(e)
	case *events.ManualLoginReconnect:
		s.relogin(ctx)
	case *events.Connected:
		s.connected(ctx, cli)
	case *events.Disconnected:
		s.end(ending{kind: endLost})
	case *events.OfflineSyncCompleted:
		s.caughtUp(cli)
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
		s.tellName(ctx)
		s.present(ctx, cli)

	case *events.ChatPresence:
		s.typing(ctx, cli, e)
	case *events.Presence:
		s.cameOrWent(ctx, cli, e)

	case *events.NotifyAccountReachoutTimelock:
		return s.restricted(ctx, e)

	case *events.AppStateSyncError:
		s.stateFault(cli, e)
	case *events.AppStateSyncComplete:
		return s.partComplete(ctx, cli, e)

	// how the owner marks messages on the phone: the CRM has no counterpart, and its
	// data belongs to the company, not to one phone
	case *events.Star, *events.UnarchiveChatsSetting, *events.UserStatusMute,
		*events.LabelAssociationMessage: // labels are tags of chats
	// the owner removed messages from the phone: the company keeps them
	case *events.ClearChat, *events.DeleteForMe:
	// how a call is set up between devices
	case *events.CallPreAccept, *events.CallTransport, *events.CallRelayLatency, *events.UnknownCallEvent:
	// progress of catching up: each item arrives as an event of its own
	case *events.OfflineSyncPreview, *events.KeepAliveRestored:
	// between devices and WhatsApp: whatsmeow handles them
	case *events.IdentityChange, *events.PrivacySettings, *events.QRScannedWithoutMultidevice:
	// never requested: history comes as a notification, and we fetch it ourselves
	// (see message); this is not a Messenger client
	case *events.HistorySync, *events.FBMessage:
	// of channels only the posts are kept, and those of channels that the account leaves stay
	case *events.NewsletterLeave, *events.NewsletterMuteChange, *events.NewsletterLiveUpdate:
	default:
		s.log.Info("an event of WhatsApp is not known to this version", "kind", fmt.Sprintf("%T", evt))
	}
	return true
}

// silence is how long WhatsApp may leave pings unanswered.
const silence = time.Minute

// panicked decides what happens to an event whose handler panicked. The cause may be
// temporary, so a message or receipt is requested again. An event that always fails
// would be delivered forever: the third time a message is kept as unknown, and a receipt
// is dropped. Other events are dropped at once.
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
	if !s.ours(&m.Info) { // nobody waits for an answer
		return true
	}
	defer func() {
		if p := recover(); p != nil {
			kept = true
			s.log.Error("a message could not be saved", "message", m.Info.ID, "panic", p)
		}
	}()
	return s.ingest(ctx, crm.InboundBatch{Messages: []crm.InboundMessage{s.envelope(ctx, cli, &m.Info, &content.Content{Type: content.TypeUnknown, Subtype: "fault"})}})
}

// ingest passes a batch to the rules and reports whether it was committed. If it was not, the
// connection is closed, so that later events cannot overtake this one.
func (s *session) ingest(ctx context.Context, t crm.InboundBatch) (kept bool) {
	if kept = s.tryIngest(ctx, t); !kept && ctx.Err() == nil {
		s.breakOff()
	}
	return kept
}

// tryIngest passes a batch to the rules and reports whether it was committed. While the
// database is unavailable it retries for a while.
func (s *session) tryIngest(ctx context.Context, t crm.InboundBatch) (kept bool) {
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
		if ctx.Err() != nil || s.impatient(ctx, began, tries) {
			break
		}
	}
	return false
}

// impatient waits before the next try to store something, and reports whether there shall be
// none any more.
func (s *session) impatient(ctx context.Context, began time.Time, tries int) bool {
	return time.Since(began) > s.m.times.patience || wait(ctx, min(5*time.Second, time.Duration(tries)*200*time.Millisecond)) != nil
}

// breakOff closes the connection, so that WhatsApp delivers the unacknowledged messages
// again.
func (s *session) breakOff() {
	if !s.broken.Swap(true) {
		s.end(ending{kind: endBroken})
	}
}

// refused handles a batch that the rules will never accept. WhatsApp would deliver it
// forever, so it is acknowledged. A single message is kept as unknown, so that its
// arrival is recorded.
func (s *session) refused(ctx context.Context, t crm.InboundBatch, refusal *crm.Error) (kept bool) {
	s.log.Error("an inbound batch was refused by the rules", "error", refusal, "fields", refusal.Fields)
	if len(t.Messages) != 1 || t.Messages[0].Type == content.TypeUnknown {
		return true
	}
	m := t.Messages[0]
	if m.Subtype != nil && *m.Subtype == crm.SubtypeStatus { // nobody waits for an answer
		return true
	}
	subtype := "refused"
	m.Type, m.Subtype, m.Message, m.Attachment, m.Remote, m.UTM, m.QuotedMessageID, m.Quote = content.TypeUnknown, &subtype, crm.Content{}, nil, nil, nil, nil, nil
	return s.ingest(ctx, crm.InboundBatch{Aliases: t.Aliases, Messages: []crm.InboundMessage{m}})
}

// connected records that the line is connected and starts what waits for that.
func (s *session) connected(ctx context.Context, cli *whatsmeow.Client) {
	s.loggedIn.Store(true)
	if id := cli.Store.ID; id != nil {
		device, phone := id.String(), id.User
		s.mu.Lock()
		s.device, s.fresh = device, false
		s.mu.Unlock()
		s.endPairing(errPairingOver)
		s.set(ctx, crm.LineState{State: crm.StateConnected, Device: &device, Phone: &phone, Name: s.ownName(), Detail: detailConnected})
	}
	notify(s.leaving.ready)
	notify(s.online)
	notify(s.outbox)
	notify(s.fetch)
	notify(s.labels)
	s.past.connected(s.m.times.past)
	s.readWanted() // what the last connection has not read
	s.helpers.Go(func() {
		s.report(ctx)
		s.present(ctx, cli)
		if s.surveys.await(ctx) != nil {
			return
		}
		s.besideStates(cli, func(ctx context.Context) { s.lookAtStates(ctx, cli) }) // what the last process has not read
		s.syncTimer(ctx, cli)
		s.listGroups(ctx, cli)
		s.helpers.Coalesce("blocklist", func() { s.readBlocklist(ctx, cli) })
		s.askChannels(ctx, cli)
		s.wantLooks(ctx, cli)
	})
}
