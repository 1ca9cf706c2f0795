package crm

import (
	"context"
	"net/http"
	"slices"
)

// MaxPicture is how many bytes a picture of a group or of an account may have that is sent
// to a messenger.
const MaxPicture = 5 << 20

// pictureTypes are the types of pictures that are taken.
var pictureTypes = []string{"image/jpeg", "image/png", "image/webp"}

// checkPicture checks a picture that is sent to a messenger. Whether it can be decoded is
// told by the connector.
func checkPicture(field string, picture []byte) error {
	switch {
	case len(picture) == 0:
		return Invalid(field, "is required")
	case len(picture) > MaxPicture:
		return Invalid(field, "must have at most %d bytes", MaxPicture)
	case !slices.Contains(pictureTypes, http.DetectContentType(picture)):
		return Invalid(field, "must be a JPEG, PNG or WebP")
	}
	return nil
}

// GroupPicture returns the address of a group's picture, at the messenger.
func (s *Service) GroupPicture(ctx context.Context, a Actor, at ChatAddress) (*GroupImage, error) {
	_, groups, id, err := s.groupOf(ctx, a, at, read)
	if err != nil {
		return nil, err
	}
	url, err := groups.GroupPicture(ctx, at.Line, id)
	return &GroupImage{given(url)}, err
}

// SetGroupPicture gives a group a picture.
func (s *Service) SetGroupPicture(ctx context.Context, a Actor, at ChatAddress, picture []byte) error {
	return s.changeGroupPicture(ctx, a, at, func() error { return checkPicture("picture", picture) }, picture)
}

// RemoveGroupPicture takes a group's picture away.
func (s *Service) RemoveGroupPicture(ctx context.Context, a Actor, at ChatAddress) error {
	return s.changeGroupPicture(ctx, a, at, func() error { return nil }, nil)
}

// changeGroupPicture authorises the actor before it checks the request.
func (s *Service) changeGroupPicture(ctx context.Context, a Actor, at ChatAddress, check func() error, picture []byte) error {
	_, groups, id, err := s.groupOf(ctx, a, at, write)
	if err != nil {
		return err
	}
	if err := check(); err != nil {
		return err
	}
	pictureID, err := groups.SetGroupPicture(asking(ctx, a), at.Line, id, picture)
	if err != nil {
		return err
	}
	details := map[string]string{"picture": "set"}
	if picture == nil {
		details["picture"] = "removed"
	}
	return s.recordGroup(ctx, at.Line, func(c *change, l *line) error {
		chat, err := c.groupChat(l, id, "")
		if err != nil {
			return err
		}
		return c.groupDone(a, l, chat, InboundGroup{Picture: &pictureID}, AuditGroupChanged, details)
	})
}
