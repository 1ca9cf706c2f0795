package multiwa

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

// contactItem is a contact, as answers show it.
type contactItem struct {
	ID            string  `json:"id"`
	ProfileID     string  `json:"profileId"`
	Name          string  `json:"name"`
	PushName      string  `json:"pushName"`
	Phone         *string `json:"phone"`
	ProfilePicURL *string `json:"profilePicUrl"`
	IsBlocked     bool    `json:"isBlocked"`
	CreatedAt     string  `json:"createdAt"`
}

func contactOf(of *crm.Instance, k *crm.ContactData) contactItem {
	return contactItem{
		ID: personID(of.Line.Messenger, k.ID.String(), k.Phone), ProfileID: of.ID, Name: k.Name, PushName: k.Name, Phone: k.Phone,
		ProfilePicURL: k.Image, IsBlocked: k.Blocked, CreatedAt: isoSeconds(k.CreatedAt),
	}
}

func (a *API) contactList(c *gin.Context) (any, error) {
	w, err := windowOf(c)
	if err != nil {
		return nil, err
	}
	of, err := a.profile(c, c.Query("profileId"))
	if err != nil {
		return nil, err
	}
	found, err := pages(w, func(q crm.PageQuery) (crm.Page[crm.ContactData], error) {
		return a.CRM.Contacts(c.Request.Context(), actor(c), of.Line, q, c.Query("search"))
	})
	if err != nil {
		return nil, err
	}
	list := []contactItem{}
	for i := range found {
		list = append(list, contactOf(of, &found[i]))
	}
	return list, nil
}

func (a *API) contact(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Query("profileId"))
	if err != nil {
		return nil, err
	}
	at, err := address(of.Line, "id", c.Param("id"))
	if err != nil {
		return nil, err
	}
	k, err := a.CRM.LineContact(c.Request.Context(), actor(c), crm.ContactAddress{Line: of.Line, ContactID: at.ChatID})
	if err != nil {
		return nil, err
	}
	return contactOf(of, &k), nil
}

// createContact makes a conversation with a number. The person becomes a contact when one of
// the two writes.
func (a *API) createContact(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string `json:"profileId"`
		Phone     string `json:"phone"`
		Name      string `json:"name"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	chat := crm.ChatInput{Phone: crm.Field[string]{Set: in.Phone != "", Value: in.Phone}, Name: crm.Field[string]{Set: in.Name != "", Value: in.Name}}
	made, err := a.CRM.CreateChat(c.Request.Context(), actor(c), of.Line, chat)
	if err != nil {
		return nil, err
	}
	return contactOf(of, &crm.ContactData{
		ID: crm.MakeID(of.Line.Messenger, made.ID), Name: made.Name, Phone: made.Phone, Image: made.Image, CreatedAt: made.LastTime,
	}), nil
}

// renameContact gives a contact a name; null gives back that of the messenger.
func (a *API) renameContact(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string            `json:"profileId"`
		Name      crm.Field[string] `json:"name"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	if in.ProfileID == "" {
		in.ProfileID = c.Query("profileId")
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	at, err := address(of.Line, "id", c.Param("id"))
	if err != nil {
		return nil, err
	}
	k, err := a.CRM.RenameContact(c.Request.Context(), actor(c), crm.ContactAddress{Line: of.Line, ContactID: at.ChatID}, in.Name)
	if err != nil {
		return nil, err
	}
	return contactOf(of, &k), nil
}

// validated tells whether a number uses the messenger; null: it did not say.
type validated struct {
	Phone  string  `json:"phone"`
	Exists *bool   `json:"exists"`
	WaID   *string `json:"waId"`
}

func (a *API) validateContacts(c *gin.Context) (any, error) {
	var in struct {
		ProfileID string   `json:"profileId"`
		Phone     string   `json:"phone"`
		Phones    []string `json:"phones"`
		Numbers   []string `json:"numbers"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	numbers := append(in.Phones, in.Numbers...)
	if in.Phone != "" {
		numbers = append(numbers, in.Phone)
	}
	if len(numbers) == 0 {
		return nil, crm.Invalid("phones", "must be a list of phone numbers")
	}
	checks, err := a.CRM.CheckContacts(c.Request.Context(), actor(c), of.Line, numbers)
	if err != nil {
		return nil, err
	}
	list := []validated{}
	for i := range checks {
		v := validated{Phone: checks[i].Number, Exists: checks[i].Exists}
		if id := checks[i].ID; id != nil {
			v.WaID = given(true, personID(of.Line.Messenger, id.String(), checks[i].Phone))
		}
		list = append(list, v)
	}
	return list, nil
}
