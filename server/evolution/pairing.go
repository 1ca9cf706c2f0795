package evolution

import (
	"context"
	"errors"
	"strings"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// How long answers wait for the first code.
const (
	createWait  = 5 * time.Second
	connectWait = 10 * time.Second
)

func pairingRoutes() []route {
	return []route{
		{methods: "GET", path: "/instance/connect/:instance", changes: true, do: connect, fail: pairingFailure},
		{methods: "POST PUT", path: "/instance/restart/:instance", do: restart, fail: pairingFailure},
	}
}

// qrCode is what a person needs to pair a phone. Without a code yet, all are null and the count is 0.
type qrCode struct {
	PairingCode *string `json:"pairingCode"`
	Code        *string `json:"code"`
	Base64      *string `json:"base64"` // a data URL
	Count       int     `json:"count"`
}

// problem is the answer to a connect or restart that failed, with status 200.
type problem struct {
	Error   bool   `json:"error"`
	Message string `json:"message"`
}

// pair begins to pair the instance, or goes on, and waits for a code. With a phone number, the
// code is one to type into it.
func (q *request) pair(number string, wait time.Duration) (*qrCode, error) {
	ctx, cancel := context.WithTimeout(q.ctx, wait)
	defer cancel()
	var phone *string
	if number != "" {
		phone = &number
	}
	p, err := q.e.CRM.Pair(ctx, q.actor, q.line(), phone)
	switch {
	case err == nil:
		return codeOf(p), nil
	case q.ctx.Err() != nil:
		return nil, err
	case errors.Is(err, context.DeadlineExceeded), hasCode(err, crm.CodeUnavailable) && ctx.Err() != nil:
		return &qrCode{}, nil // the pairing goes on
	}
	return nil, err
}

func codeOf(p crm.Pairing) *qrCode {
	out := &qrCode{}
	if p.Code != nil {
		short := strings.ReplaceAll(*p.Code, "-", "")
		out.PairingCode, out.Count = &short, 1
	}
	qr := p.Beside
	if p.QR != nil {
		qr = *p.QR
	}
	if qr != "" {
		out.Code, out.Base64, out.Count = &qr, textOrNil(crm.QRPictureURL(qr)), 1
	}
	return out
}

func connect(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyManage); err != nil { // whatever the state is
		return answer{}, err
	}
	status, err := q.status()
	if err != nil {
		return answer{}, err
	}
	if shape.LineState(status) == shape.StateOpen {
		return ok(stateAnswer{instanceState{q.instance.Name, shape.StateOpen}}), nil
	}
	code, err := q.pair(onlyDigits(q.query("number"), false), connectWait)
	if hasCode(err, crm.CodeConflict) { // it is paired, and connects again by itself
		code, err = &qrCode{}, nil
	}
	if err != nil {
		return answer{}, err
	}
	return ok(code), nil
}

// restart renews the connection of an instance.
func restart(q *request) (answer, error) {
	if err := q.mustHave(crm.KeyManage); err != nil { // whatever the state is
		return answer{}, err
	}
	status, err := q.status()
	if err != nil {
		return answer{}, err
	}
	switch {
	case shape.LineState(status) == shape.StateClose && status.LostSince == nil: // what is lost can be tried at once
		return ok(problem{true, `The "` + q.instance.Name + `" instance is not connected`}), nil
	case status.State == crm.StatePairing || status.State == crm.StatePasskey:
		return connect(q)
	}
	if err := q.e.CRM.RestartLine(q.ctx, q.actor, q.line()); err != nil {
		return answer{}, err
	}
	return ok(struct {
		Instance any `json:"instance"`
	}{struct {
		InstanceName string `json:"instanceName"`
		Status       string `json:"status"`
	}{q.instance.Name, shape.StateConnecting}}), nil
}

// pairingFailure answers a failure of the messenger as Evolution does: with status 200.
func pairingFailure(_ *request, err error) error {
	var of *crm.Error
	if errors.As(err, &of) && (of.Code == crm.CodeUnavailable && of.RetryAfter == 0 || of.Code == crm.CodeConflict || of.Code == crm.CodeInvalid) {
		return &refusal{status: 200, whole: problem{true, "Error: " + of.Message}}
	}
	return err
}
