package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/breaking-backups/breaking-backups/notify/event"
)

// Webhook is a receiver of reports over HTTP. Its fields are read only by Hear, which may be called
// at any time and by several at once.
type Webhook struct {
	URL     *url.URL
	Method  string        // empty: POST
	Header  http.Header   // sent along; wins over the Content-Type that is set otherwise
	Timeout time.Duration // of one try, from dialling to the answer's headers; 0: none

	Retries int           // tries after the first
	WaitMin time.Duration // before the second try; doubles with each, up to WaitMax
	WaitMax time.Duration // also bounds what a receiver may ask for with Retry-After
}

// Hear delivers the report of a run that has ended, and returns nil at once of all other events.
// Any 2xx answer is a delivery. Network errors, 429 and 5xx answers are tried again. Redirects are
// not followed, because a redirected POST becomes a GET that a receiver may answer with 200. When
// ctx ends, so does Hear. Errors name the receiver's host only.
func (w *Webhook) Hear(ctx context.Context, e event.Event) error {
	ended, ok := e.What.(event.Ended)
	if !ok {
		return nil
	}
	return w.send(ctx, newReport(e, ended))
}

func (w *Webhook) send(ctx context.Context, r report) error {
	if err := w.post(ctx, r); err != nil {
		return fmt.Errorf("webhook %s: %w", w.URL.Host, withoutURL(err))
	}
	return nil
}

func (w *Webhook) post(ctx context.Context, r report) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	method := w.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, method, w.URL.String(), body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for name, values := range w.Header {
		req.Header[name] = values
	}
	if host := w.Header.Get("Host"); host != "" {
		req.Host = host // net/http takes it from here only
	}
	resp, err := w.client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

// client is made anew for every report: reports are minutes to days apart, and a connection kept
// that long is a broken one.
func (w *Webhook) client() *retryablehttp.Client {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient = &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		Timeout:       w.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = w.Retries, w.WaitMin, w.WaitMax
	client.Backoff = func(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
		return min(retryablehttp.DefaultBackoff(least, most, attempt, resp), most)
	}
	client.ErrorHandler = func(resp *http.Response, err error, tries int) (*http.Response, error) {
		if resp != nil { // the last answer says more than an error made of it
			resp.Body.Close()
			err = fmt.Errorf("answered %s", resp.Status)
		}
		return nil, fmt.Errorf("%w (tries: %d)", withoutURL(err), tries)
	}
	return client
}

// withoutURL takes the layer out of an error that repeats the request's whole address.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
