package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerEmployees(signedIn gin.IRouter) {
	employees := signedIn.Group("/companies/:companyId/employees")
	employees.GET("", a.employees)
	employees.POST("", a.invite)
	employees.GET("/:userId", a.employee)
	employees.PATCH("/:userId", a.changeEmployee)
	employees.DELETE("/:userId", a.removeEmployee)
	employees.PUT("/:userId/workday", a.workday)
}

// employeePath is the company and the user of the path.
func employeePath(c *gin.Context) (companyID, userID int64, err error) {
	if companyID, err = pathID(c, "companyId"); err == nil {
		userID, err = pathID(c, "userId")
	}
	return companyID, userID, err
}

func (a *API) employees(c *gin.Context) {
	companyID, err := pathID(c, "companyId")
	if err != nil {
		a.fail(c, err)
		return
	}
	page, err := a.CRM.Employees(c.Request.Context(), actor(c), companyID, queryPage(c))
	a.reply(c, page, err)
}

func (a *API) employee(c *gin.Context) {
	companyID, userID, err := employeePath(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	e, err := a.CRM.Employee(c.Request.Context(), actor(c), companyID, userID)
	a.reply(c, e, err)
}

func (a *API) invite(c *gin.Context) {
	noStore(c) // the answer may have a password
	var in crm.Invitation
	companyID, err := pathID(c, "companyId")
	if err == nil {
		err = body(c, &in)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	e, err := a.CRM.Invite(c.Request.Context(), actor(c), companyID, in)
	a.reply(c, e, err)
}

func (a *API) changeEmployee(c *gin.Context) {
	var ch crm.EmployeeChanges
	companyID, userID, err := employeePath(c)
	if err == nil {
		err = body(c, &ch)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	e, err := a.CRM.ChangeEmployee(c.Request.Context(), actor(c), companyID, userID, ch)
	a.reply(c, e, err)
}

func (a *API) removeEmployee(c *gin.Context) {
	companyID, userID, err := employeePath(c)
	if err == nil {
		err = a.CRM.RemoveEmployee(c.Request.Context(), actor(c), companyID, userID)
	}
	a.reply(c, nil, err)
}

func (a *API) workday(c *gin.Context) {
	var in struct {
		Type string `json:"type"`
	}
	companyID, userID, err := employeePath(c)
	if err == nil {
		err = body(c, &in)
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	e, err := a.CRM.Workday(c.Request.Context(), actor(c), companyID, userID, in.Type)
	a.reply(c, e, err)
}
