package main

import (
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-roomkit/roomkit"
)

// handler has all that the chat answers. Each subject adds its own routes here.
func (c *chat) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.front)
	mux.HandleFunc("GET /side", c.side)
	mux.HandleFunc("GET /static/{file}", static)
	mux.Handle("GET /as/{user}/live", c.as(c.serveLive))
	c.roomRoutes(mux)
	c.leaveRoutes(mux)
	c.noticeRoutes(mux)
	c.api(mux)
	c.manageRoutes(mux)
	c.adminRoutes(mux)
	c.createRoutes(mux)
	c.fileRoutes(mux)
	c.profileRoutes(mux)
	mux.Handle("/console/", c.console)
	return secure(http.NewCrossOriginProtection().Handler(mux))
}

// static serves a file of the folder, and nothing else that is embedded.
func static(w http.ResponseWriter, r *http.Request) {
	at := "static/" + r.PathValue("file")
	if info, err := fs.Stat(files, at); err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, files, at)
}

const policy = "default-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"

// secure lets a page load nothing from elsewhere, and nobody else show it. A page from
// elsewhere whose name leads to this machine gets nothing: it would be anybody.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownName(r) {
			http.Error(w, "this chat has another name", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// ownName says whether a request that comes from this machine names this machine.
func ownName(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !net.ParseIP(from).IsLoopback() {
		return true
	}
	at := url.URL{Host: r.Host}
	name := at.Hostname()
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || net.ParseIP(name).IsLoopback()
}

func parseVersion(text string) (roomkit.Version, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, &roomkit.Invalid{Field: "version", Reason: "not a number"}
	}
	return roomkit.Version(n), nil
}
