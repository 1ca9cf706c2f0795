package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"chatcast/models"
)

// EventCall tells of the steps of a call that a person makes to a line's account.
const EventCall = "call"

// Types of call.
const (
	CallOffer     = "offer"     // it rings
	CallAccept    = "accept"    // on the phone
	CallReject    = "reject"    // on the phone, or by the line's settings
	CallTimeout   = "timeout"   // nobody took it
	CallTerminate = "terminate" // the caller hung up, or both have spoken
)

// callSteps order the states of a call. One that is over stays over.
var callSteps = map[string]int{CallOffer: 1, CallAccept: 2, CallReject: 3, CallTimeout: 3, CallTerminate: 3}

// callLife is how long a call is remembered after its beginning.
const callLife = 24 * time.Hour

// CallItem is the item of call.
type CallItem struct {
	Type     string  `json:"type"` // offer, accept, reject, timeout or terminate
	ID       string  `json:"id"`   // of the call, and of its message in the chat
	Chat     ChatRef `json:"chat"`
	FromUser Author  `json:"fromUser"` // who calls; without a name, as the message of the call has it
	Video    bool    `json:"video"`
	Group    bool    `json:"group"`
	Time     int64   `json:"time"` // unix seconds
}

// InboundCall is a step of a call. The first one is the offer, and comes with the message of
// the call; steps of a call without one are left out.
type InboundCall struct {
	ID    ID
	Chat  InboundChat // of the offer
	By    InboundUser // of the offer: who calls
	Type  string
	Video bool   // of the offer
	Time  *int64 // unix seconds; now when nil
}

type callArrival struct {
	InboundCall
	chat   inboundChat
	caller Author
	time   int64
}

func (in InboundCall) check(messenger string, i int, now int64) (k callArrival, err error) {
	at := fmt.Sprintf("calls[%d].", i)
	k.InboundCall = in
	errs := []error{checkID(at+"id", in.ID.String())}
	if callSteps[in.Type] == 0 {
		errs = append(errs, Invalid(at+"type", "must be offer, accept, reject, timeout or terminate"))
	}
	k.time, err = checkTime(at+"time", in.Time, now)
	errs = append(errs, err)
	if in.Type == CallOffer {
		k.chat, err = in.Chat.check(messenger, at+"chat.")
		errs = append(errs, err)
		k.caller, _, err = in.By.check(messenger, at+"by.", false)
		k.caller.Name, k.caller.Username = "", nil
		errs = append(errs, err)
	}
	return k, allViolations(errs...)
}

// applyCall stores a step of a call, and tells of it when it is new.
func (c *change) applyCall(l *line, chats *chatSet, k *callArrival) (string, error) {
	if k.Type == CallOffer {
		return c.applyOffer(l, chats, k)
	}
	row, err := c.tx.CallOf(l.licenseID, l.messenger, k.ID.String())
	if errors.Is(err, models.ErrNotFound) {
		return ResultUnknown, nil
	}
	if err != nil {
		return "", err
	}
	if callSteps[k.Type] <= row.Step {
		return ResultUnchanged, nil
	}
	row.State, row.Step = k.Type, callSteps[k.Type]
	if err := c.tx.SaveCall(row); err != nil {
		return "", err
	}
	chat, err := c.tx.ChatRow(row.ChatID)
	if err != nil {
		return "", err
	}
	return ResultAccepted, c.emitCall(chat, row, k.time)
}

func (c *change) applyOffer(l *line, chats *chatSet, k *callArrival) (string, error) {
	chat := chats.find(k.chat)
	if chat == nil {
		return ResultUnknown, nil
	}
	caller, err := json.Marshal(k.caller)
	if err != nil {
		return "", err
	}
	row := &models.Call{
		LicenseID: l.licenseID, MessengerType: l.messenger, CallID: k.ID.String(), ChatID: chat.ID,
		State: CallOffer, Step: callSteps[CallOffer], Video: k.Video, Caller: string(caller), At: k.time,
	}
	if added, err := c.tx.AddCall(row); err != nil || !added {
		return ResultUnchanged, err
	}
	return ResultAccepted, c.emitCall(chat, row, k.time)
}

func (c *change) emitCall(chat *models.Chat, row *models.Call, at int64) error {
	item := CallItem{Type: row.State, ID: row.CallID, Chat: ChatRef{chat.ExternalID}, Video: row.Video, Group: chat.Type == models.ChatGroup, Time: at}
	if err := json.Unmarshal([]byte(row.Caller), &item.FromUser); err != nil {
		return fmt.Errorf("crm: the caller of call %s: %w", row.CallID, err)
	}
	return c.emitChat(chat, EventCall, item)
}
