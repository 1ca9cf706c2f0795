package api

import "github.com/gin-gonic/gin"

func (a *API) registerLicenses(signedIn gin.IRouter) {}
