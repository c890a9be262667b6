/* Asking the server: small posts, and whole pages put in place of this one so that an open key need not be typed again. */

export class Refused extends Error {}

const headers = { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" };
const encoded = (fields) => new URLSearchParams(fields).toString();

/* A post that answers JSON. */
export async function question(url, token) {
  const answer = await fetch(url, { method: "POST", headers, body: encoded({ form_token: token }) });
  if (!answer.ok || answer.redirected) throw new Refused();
  return answer.json();
}

/* A post that answers with a redirect (or nothing) when it was done. A redirect to the door means: signed out. */
export async function tell(url, token, fields) {
  const body = encoded({ form_token: token, ...fields });
  const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual" });
  if (answer.type !== "opaqueredirect" && answer.status !== 204) throw new Refused();
}

/* Another page of the desk in place of this one. A document made by XMLHttpRequest runs no script of its own. */
export function visit(method, url, fields) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = "document";
    for (const [name, value] of Object.entries(fields ? headers : {})) request.setRequestHeader(name, value);
    request.onerror = () => reject(new Refused());
    request.onload = () => {
      const page = request.response;
      if (!page || request.status >= 400) { reject(new Refused()); return; }
      document.title = page.title;
      document.body.replaceWith(document.adoptNode(page.body));
      history.replaceState(null, "", request.responseURL);
      resolve();
    };
    request.send(fields ? encoded(fields) : null);
  });
}
