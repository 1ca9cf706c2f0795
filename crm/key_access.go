package crm

import (
	"context"
	"errors"
	"time"

	"chatcast/models"
)

// A key stands for a user of its own, whom no company employs. So every rule that asks for
// an employee denies keys, and the few that keys may use say so: those of lines, by
// models.Tx.LineAccess, and those that call lineManager or keyIn.

// keyTouchEvery is how exact the time of a key's last use is: not every request may cost a
// write.
const keyTouchEvery = time.Minute

var (
	errNoKey  = &Error{Code: CodeNoToken, Message: "a key is required"}
	errBadKey = &Error{Code: CodeBadToken, Message: "the key is unknown or was revoked"}
)

// ErrForPeople refuses a key what no key may do.
var ErrForPeople = denied("this is for people who have signed in: a key may not do it")

// lacks is the error for a key without a right.
func lacks(right string) error { return denied("this key does not have the right " + right) }

// AuthenticateKey is Authenticate for keys alone.
func (s *Service) AuthenticateKey(ctx context.Context, text string) (Actor, *KeyData, error) {
	if text == "" {
		return Actor{}, nil, errNoKey
	}
	k, err := s.key(ctx, text)
	if errors.Is(err, models.ErrNotFound) {
		err = errBadKey
	}
	if err != nil {
		return Actor{}, nil, err
	}
	data := keyData(*k)
	return keyActor(k), &data, nil
}

func keyActor(k *models.APIKey) Actor { return Actor{UserID: k.UserID, KeyID: k.ID} }

// KeyOf returns the key that the actor is now, or nil for a person.
func (s *Service) KeyOf(ctx context.Context, a Actor) (*KeyData, error) {
	k, err := keyOf(s.Store.Read(ctx), a)
	if err != nil || k == nil {
		return nil, err
	}
	data := keyData(*k)
	return &data, nil
}

// keyOf returns the key that the actor is, or nil.
func keyOf(tx *models.Tx, a Actor) (*models.APIKey, error) {
	k, err := tx.KeyOfUser(a.UserID)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	return k, err
}

// keyIn returns the key that the actor is, if it is one of the company's, or nil. companyID 0
// means any.
func keyIn(tx *models.Tx, a Actor, companyID int64) (*models.APIKey, error) {
	k, err := keyOf(tx, a)
	if k != nil && companyID != 0 && k.CompanyID != companyID {
		k = nil
	}
	return k, err
}

// notKey turns the error about an actor whom the company does not employ into a refusal,
// when the actor is a key of the company: a key knows that there is such a company.
func notKey(tx *models.Tx, a Actor, companyID int64, err error) error {
	if !isNotFound(err) {
		return err
	}
	k, failed := keyIn(tx, a, companyID)
	switch {
	case failed != nil:
		return failed
	case k != nil:
		return ErrForPeople
	}
	return err
}

// bearer finds what an access token or a key stands for: one of the two results is not nil.
// Its errors are those of Authenticate.
func (s *Service) bearer(ctx context.Context, text string) (*models.TokenHolder, *models.APIKey, error) {
	t, err := s.holder(ctx, text)
	if err != errBadToken {
		return t, nil, err
	}
	k, err := s.key(ctx, text)
	if errors.Is(err, models.ErrNotFound) {
		err = errBadToken
	}
	if err != nil {
		return nil, nil, err
	}
	return nil, k, nil
}

// key finds a key and notes that it is used, or returns models.ErrNotFound.
func (s *Service) key(ctx context.Context, text string) (*models.APIKey, error) {
	k, err := s.Store.Read(ctx).KeyByHash(hashToken(text))
	if err == nil {
		s.touchKey(ctx, k)
	}
	return k, err
}

// touchKey is touch for a key.
func (s *Service) touchKey(ctx context.Context, k *models.APIKey) {
	now := s.Now()
	if now.Sub(time.Unix(k.LastUsedAt, 0)) < keyTouchEvery || now.Sub(time.Unix(s.untouched.Load(), 0)) < touchEvery {
		return
	}
	err := s.Store.Tx(ctx, func(tx *models.Tx) error { return tx.TouchKey(k.ID, now.Unix(), now.Add(-keyTouchEvery).Unix()) })
	if err != nil && ctx.Err() == nil {
		s.untouched.Store(now.Unix())
		s.Log.WarnContext(ctx, "the use of a key was not noted", "key", k.ID, "error", err)
	}
}

// IsPerson implements channels.Access.
func (s *Service) IsPerson(ctx context.Context, userID int64) (bool, error) {
	user, err := s.Store.Read(ctx).UserByID(userID)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil && !user.OfKey, err
}

// lineManager returns the company whose licences and lines the actor may make, rename and
// remove: owners and admins may, and keys of the company with the right. companyID 0 means
// the actor's only one.
func lineManager(tx *models.Tx, a Actor, companyID int64) (int64, error) {
	e, err := manager(tx, a, companyID)
	if err == nil {
		return e.CompanyID, nil
	}
	if err != ErrForPeople {
		return 0, err
	}
	k, err := keyIn(tx, a, companyID)
	switch {
	case err != nil:
		return 0, err
	case k == nil: // it was revoked since
		return 0, notFound("company")
	case k.LicenseID != nil:
		return 0, denied("this key is for one line, and not for the lines of the company")
	case !k.CanManage:
		return 0, lacks(KeyManage)
	}
	return k.CompanyID, nil
}

// givable returns the rights that the actor may give to a key: a key gives no more than it has.
func givable(tx *models.Tx, a Actor) ([]string, error) {
	k, err := keyOf(tx, a)
	if err != nil || k == nil {
		return KeyRights(), err
	}
	return keyData(*k).Rights, nil
}

// callbackKey returns the key that the actor is, when it may manage callback URLs of the
// company, or nil for a person. Their events tell what a key reads.
func callbackKey(tx *models.Tx, a Actor, companyID int64) (*models.APIKey, error) {
	k, err := keyIn(tx, a, companyID)
	switch {
	case err != nil || k == nil:
		return nil, err
	case !k.CanManage:
		return nil, lacks(KeyManage)
	case !k.CanRead:
		return nil, lacks(KeyRead)
	}
	return k, nil
}
