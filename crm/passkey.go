package crm

import "context"

// PasskeyStep is what a person needs to confirm a pairing with the account's passkey.
// It has Options while the passkey is to be used, and Code when the phone shows one to
// compare. It has neither while the messenger and the phone work.
type PasskeyStep struct {
	// Options go to navigator.credentials.get, on a page of Origin.
	Options *PasskeyOptions `json:"options"`
	Origin  string          `json:"origin"`
	Code    *string         `json:"code"`
}

// PasskeyOptions are WebAuthn's PublicKeyCredentialRequestOptionsJSON. Bytes are
// base64url without padding.
type PasskeyOptions struct {
	Challenge        string              `json:"challenge"`
	Timeout          int64               `json:"timeout"` // milliseconds
	RPID             string              `json:"rpId"`
	AllowCredentials []PasskeyCredential `json:"allowCredentials"`
	UserVerification string              `json:"userVerification"`
	Extensions       map[string]any      `json:"extensions"`
}

// PasskeyCredential names a passkey that may answer.
type PasskeyCredential struct {
	ID         string   `json:"id"`
	Type       string   `json:"type"`
	Transports []string `json:"transports"`
}

// PasskeyAnswer is the answer to a PasskeyStep: an assertion made with its options, or
// its code, which the person has compared with the phone's.
type PasskeyAnswer struct {
	Assertion *PasskeyAssertion `json:"assertion"`
	Code      *string           `json:"code"`
}

// PasskeyMessenger is a Messenger whose accounts may be asked for a passkey. A line
// whose messenger is none has no pairing that waits for one.
type PasskeyMessenger interface {
	Messenger
	// SignPasskey gives the assertion to the pairing that waits for it. It returns when
	// the messenger has accepted it.
	SignPasskey(ctx context.Context, l Line, a Assertion) error
	// ConfirmPasskey confirms that the phone shows the code.
	ConfirmPasskey(ctx context.Context, l Line, code string) error
	// CancelPasskey ends the pairing that waits for a passkey.
	CancelPasskey(ctx context.Context, l Line) error
}

// AnswerPasskey answers the passkey step of a line's pairing. Only owners and admins may
// do so.
func (s *Service) AnswerPasskey(ctx context.Context, a Actor, on Line, in PasskeyAnswer) error {
	connector, err := s.passkeysOf(ctx, a, on)
	if err != nil {
		return err
	}
	var assertion Assertion
	with := "assertion"
	switch {
	case in.Assertion == nil && in.Code == nil:
		return Invalid("assertion", "or code must be given")
	case in.Assertion != nil && in.Code != nil:
		return Invalid("code", "and assertion must not be given together")
	case in.Code != nil:
		with = "code"
		if *in.Code == "" {
			return Invalid("code", "must be the code that the phone shows")
		}
	default:
		if assertion, err = in.Assertion.Decode(); err != nil {
			return err
		}
	}
	if err := s.auditPasskey(ctx, a, on, AuditLinePasskey, map[string]string{"with": with}); err != nil {
		return err
	}
	if in.Code != nil {
		return connector.ConfirmPasskey(asking(ctx, a), on, *in.Code)
	}
	return connector.SignPasskey(asking(ctx, a), on, assertion)
}

// CancelPasskey ends a pairing that waits for a passkey. Only owners and admins may do
// so.
func (s *Service) CancelPasskey(ctx context.Context, a Actor, on Line) error {
	connector, err := s.passkeysOf(ctx, a, on)
	if err != nil {
		return err
	}
	if err := s.auditPasskey(ctx, a, on, AuditLinePasskeyCancelled, nil); err != nil {
		return err
	}
	return connector.CancelPasskey(asking(ctx, a), on)
}

func (s *Service) passkeysOf(ctx context.Context, a Actor, on Line) (PasskeyMessenger, error) {
	_, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return nil, err
	}
	passkeys, ok := connector.(PasskeyMessenger)
	if !ok {
		return nil, NoPasskeyAsked()
	}
	return passkeys, nil
}

// NoPasskeyAsked returns the Error for a line without a pairing that waits for a passkey.
func NoPasskeyAsked() *Error { return conflict("no pairing of this line waits for a passkey") }

func (s *Service) auditPasskey(ctx context.Context, a Actor, on Line, action string, details map[string]string) error {
	return s.change(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, on.LicenseID, on.Messenger, manage)
		if err != nil {
			return err
		}
		return c.audit(l.companyID, audited{action: action, by: a.auditor(), on: lineTarget(on.LicenseID, on.Messenger), details: details})
	})
}
