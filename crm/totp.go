package crm

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"chatcast/channels/refusals"
	"chatcast/models"
)

// The codes are those that every authenticator app makes: six digits of HMAC-SHA-1, a
// new one every half minute (RFC 6238). A code is accepted for one step before and after
// its own, because clocks differ.
const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps
	totpSecret = 20 // bytes, as RFC 4226 recommends

	recoveryCodes    = 10
	recoveryCodeSize = 16 // letters and digits: 80 bits
)

// TOTPIssuer names this server in authenticator apps.
const TOTPIssuer = "chatcast"

// States of a user's second factor, in Me.
const (
	TOTPOff      = "off"
	TOTPOn       = "on"
	TOTPRequired = "required" // off, but a company of the user requires it
)

var totpCode = regexp.MustCompile(`^[0-9]{6}$`)

var errWrongCode = Invalid("code", "is wrong, or was used already")

// TOTPSecret is what an authenticator app needs. It is shown once.
type TOTPSecret struct {
	Secret string `json:"secret"` // base32
	URI    string `json:"uri"`    // otpauth://totp/..., which apps read from a QR code
}

// RecoveryCodes are shown once. Each replaces one code of a lost device.
type RecoveryCodes struct {
	RecoveryCodes []string `json:"recoveryCodes"`
}

// EnrolTOTP makes a secret for the actor's second factor. It asks for no codes until
// ConfirmTOTP. A wrong password counts as a failed sign-in.
func (s *Service) EnrolTOTP(ctx context.Context, a Actor, currentPassword string) (*TOTPSecret, error) {
	if currentPassword == "" {
		return nil, Invalid("currentPassword", "is required")
	}
	user, err := s.checkOwnPassword(ctx, a, currentPassword)
	if err != nil {
		return nil, err
	}
	if user.PasswordKnown { // whoever knows it could set up their own device
		return nil, conflict("somebody else knows your password: change it first")
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: TOTPIssuer, AccountName: user.Email, Period: totpPeriod, SecretSize: totpSecret, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx *models.Tx) error {
		if _, err := tx.LockUser(a.UserID); err != nil {
			return err
		}
		if _, err := confirmedTOTP(tx, a.UserID); !errors.Is(err, models.ErrNotFound) {
			if err == nil {
				err = conflict("a second factor is set up already; remove it first")
			}
			return err
		}
		return tx.PutTOTP(&models.TOTP{UserID: a.UserID, Secret: key.Secret()})
	})
	if err != nil {
		return nil, err
	}
	return &TOTPSecret{Secret: key.Secret(), URI: key.URL()}, nil
}

// ConfirmTOTP sets the actor's second factor in force with a code of the secret that
// EnrolTOTP made. It ends the actor's other sessions, which were signed in without a
// code, and all sockets.
func (s *Service) ConfirmTOTP(ctx context.Context, a Actor, accessToken, code string) (*RecoveryCodes, error) {
	out := &RecoveryCodes{}
	var hashes []string
	for range recoveryCodes {
		text := rand.Text()[:recoveryCodeSize]
		hashes = append(hashes, hashToken(text))
		out.RecoveryCodes = append(out.RecoveryCodes, strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-"))
	}
	err := s.withCode(ctx, a, code, func(c *change) error {
		t, err := c.tx.TOTP(a.UserID)
		switch {
		case errors.Is(err, models.ErrNotFound):
			return conflict("no second factor waits for a code; POST /v1/me/totp makes one")
		case err != nil:
			return err
		case t.ConfirmedAt != 0:
			return conflict("the second factor is set up already")
		}
		if err := useTOTP(c.tx, t, code, c.now); err != nil {
			return err
		}
		t.ConfirmedAt = c.now.Unix()
		if err := errors.Join(c.tx.PutTOTP(t), c.tx.PutRecoveryCodes(a.UserID, hashes)); err != nil {
			return err
		}
		if err := s.endTokens(c, a.UserID, accessToken); err != nil {
			return err
		}
		return c.auditUser(a.UserID, audited{action: AuditFactorAdded, by: a.auditor()})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// RemoveTOTP removes the actor's second factor with a code of it or a recovery code.
func (s *Service) RemoveTOTP(ctx context.Context, a Actor, code string) error {
	return s.withCode(ctx, a, code, func(c *change) error {
		if _, err := confirmedTOTP(c.tx, a.UserID); err != nil {
			if errors.Is(err, models.ErrNotFound) {
				return conflict("no second factor is set up")
			}
			return err
		}
		if err := useCode(c.tx, a.UserID, code, c.now); err != nil {
			return err
		}
		if err := errors.Join(c.tx.DeleteTOTP(a.UserID), c.auditUser(a.UserID, audited{action: AuditFactorRemoved, by: a.auditor()})); err != nil {
			return err
		}
		must, err := c.tx.MustEnrol(a.UserID)
		if must {
			err = errors.Join(err, c.endSockets(a.UserID))
		}
		return err
	})
}

// withCode calls f in a transaction that has locked the actor, and counts the code as a
// guess when f fails.
func (s *Service) withCode(ctx context.Context, a Actor, code string, f func(c *change) error) error {
	if code == "" {
		return Invalid("code", "is required")
	}
	refund, err := s.admitCode(a.UserID, "", code)
	if err != nil {
		s.refuse(ctx, refusals.SecondFactor, refusals.Throttled, a.UserID, clientIn(ctx), "", a.auditor())
		return err
	}
	err = s.change(ctx, func(c *change) error {
		if _, err := c.tx.LockUser(a.UserID); err != nil {
			return orNotFound(err, "user")
		}
		return f(c)
	})
	var e *Error
	switch {
	case !errors.As(err, &e) || e.Code != CodeInvalid:
		refund()
	case e == errWrongCode:
		s.refuse(ctx, refusals.SecondFactor, refusals.WrongCode, a.UserID, clientIn(ctx), AuditFactorRefused, a.auditor())
	}
	return err
}

// admitCode charges a guess of a code to the account. The guesses from a network where a
// code of the account was right before count by themselves, and so do those of people who
// are signed in, whose address is empty. All others share one pace, however many addresses
// they come from: whoever guesses knows the password. So the guesses of somebody else
// hold up no right code from where it was right before. The caller calls refund when the
// code was right.
func (s *Service) admitCode(userID int64, address, code string) (refund func(), err error) {
	if code == "" {
		return func() {}, nil // nothing is guessed
	}
	account := "codes of " + defaultApp(userID)
	if !totpCode.MatchString(plainCode(code)) { // guesses of short codes do not keep out who has a recovery code
		account = "recovery " + account
	}
	refund, wait := s.codes.admitGuess(s.Now(), address, account)
	if wait > 0 {
		return nil, &Error{Code: CodeThrottled, Message: "too many codes were wrong", RetryAfter: seconds(wait)}
	}
	return refund, nil
}

// useCode uses up a code of the user's second factor, or a recovery code. It returns nil
// when the user has no second factor. The caller has locked the user.
func useCode(tx *models.Tx, userID int64, code string, now time.Time) error {
	t, err := confirmedTOTP(tx, userID)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if code == "" {
		return Invalid("code", "is required: this account has a second factor; send the code of the authenticator app, or a recovery code")
	}
	code = plainCode(code)
	if totpCode.MatchString(code) {
		return useTOTP(tx, t, code, now)
	}
	used, err := tx.UseRecoveryCode(userID, hashToken(code))
	if err == nil && !used {
		err = errWrongCode
	}
	return err
}

// useTOTP uses up a code of the secret: it and all codes before it are not accepted
// again.
func useTOTP(tx *models.Tx, t *models.TOTP, code string, now time.Time) error {
	code = plainCode(code)
	at, found := now.Unix()/totpPeriod, int64(0)
	for step := at - totpSkew; step <= at+totpSkew; step++ { // all of them, so that the time tells nothing
		want, err := hotp.GenerateCodeCustom(t.Secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > t.LastStep {
			found = step
		}
	}
	if found == 0 {
		return errWrongCode
	}
	t.LastStep = found
	return tx.PutTOTP(t)
}

// plainCode removes what people put into codes to read them.
func plainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

// confirmedTOTP returns the user's second factor that is in force, or ErrNotFound.
func confirmedTOTP(tx *models.Tx, userID int64) (*models.TOTP, error) {
	t, err := tx.TOTP(userID)
	if err == nil && t.ConfirmedAt == 0 {
		err = models.ErrNotFound
	}
	return t, err
}

// totpState returns the state of the user's second factor.
func totpState(tx *models.Tx, userID int64) (string, error) {
	_, err := confirmedTOTP(tx, userID)
	if !errors.Is(err, models.ErrNotFound) {
		return TOTPOn, err
	}
	must, err := tx.MustEnrol(userID)
	if must {
		return TOTPRequired, err
	}
	return TOTPOff, err
}
