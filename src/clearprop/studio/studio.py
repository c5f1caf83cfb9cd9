"""The application of the studio: what lies in its folder, trainings that it starts, runs to see."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clearprop.core.reading import read_bounded
from clearprop.errors import ClearpropError, UsageError, shortened
from clearprop.page import language_of_system, policy
from clearprop.report import page_text
from clearprop.report.run_page import LARGEST
from clearprop.studio import upload
from clearprop.studio.application import as_sentence
from clearprop.studio.children import Children
from clearprop.studio.desk import Desk, own_page, page_without_samples
from clearprop.studio.start_page import FIELDS, StudioPages, styles_policy
from clearprop.studio.words import Words

_LONGEST = 1_000  # characters of a field: a path may be long
_MOST_COMPARED = 8
UPLOAD = "/upload"
"""The path of the form with a file: the only body that is not a small one."""

_FORM = "application/x-www-form-urlencoded"

# A page that lies in a run's folder may be anybody's: it can run, and reaches nothing here.
_SANDBOX = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def studio(desk: Desk, children: Children) -> Starlette:
    """Make the application of a studio."""
    answers = _Answers(desk, children)
    app = Starlette(
        routes=[
            Route("/", answers.start),
            Route("/train", answers.train, methods=["POST"]),
            Route(UPLOAD, answers.upload, methods=["POST"]),
            Route("/training", answers.training),
            Route("/end", answers.end, methods=["POST"]),
            Route("/show", answers.show),
        ],
        exception_handlers={HTTPException: as_sentence},
    )
    app.router.redirect_slashes = False
    return app


class _Answers:
    """One method a route."""

    def __init__(self, desk: Desk, children: Children) -> None:
        self.desk, self.children = desk, children
        self.words = Words(language_of_system())
        self.pages = StudioPages(desk, self.words)

    async def start(self, request: Request) -> Response:
        """Answer with the start page."""
        return await self._started(chosen=request.query_params.get("data", ""))

    async def train(self, request: Request) -> Response:
        """Start a training, and lead to its page."""
        form = await _form(request, ("data", *FIELDS))
        word = await run_in_threadpool(self.desk.word_for, form.get("data", ""))
        if word is None:
            said = self.words.say("These data are not there any more. Choose others.")
            return await self._started(said, 409)
        # In one word with its name, no value is taken for an option.
        options = [
            f"--{name.replace('_', '-')}={form[name].strip()}" for name in FIELDS if name in form
        ]
        try:
            child = self.children.start(form["data"].removeprefix("./"), word, options)
        except UsageError as error:
            return await self._started(str(error), 409)
        return RedirectResponse(f"/training?number={child.number}", 303)

    async def upload(self, request: Request) -> Response:
        """Take a table, and lead back to the start page, where it is chosen."""
        kind = request.headers.get("content-type", "")
        try:
            name = await upload.receive(kind, request.stream(), self.desk.folder)
        except ClientDisconnect:  # nobody hears the answer
            return Response(status_code=400)
        except ClearpropError as error:
            status = 413 if isinstance(error, upload.TooLargeError) else 400
            return await self._started(str(error), status)
        return RedirectResponse(f"/?{urlencode({'data': f'./{name}'})}", 303)

    async def training(self, request: Request) -> Response:
        """Lead to the page of a training, as soon as it has one."""
        child = self.children.numbered(request.query_params.get("number", ""))
        if child is None:
            raise HTTPException(404, "There is no training of this number.")
        if child.is_alive and child.address is not None:
            return RedirectResponse(child.address, 303)
        headers = {"Refresh": "1"} if child.is_alive else {}
        return _answer(self.pages.waiting(child), headers=headers)

    async def end(self, request: Request) -> Response:
        """End a training, or close the page of one that has ended."""
        form = await _form(request, ("number",))
        child = self.children.numbered(form.get("number", ""))
        if child is None:
            raise HTTPException(404, "There is no training of this number.")
        child.end()
        return RedirectResponse("/", 303)

    async def show(self, request: Request) -> Response:
        """Answer with the page of a run, or of several beside each other."""
        names = request.query_params.getlist("run")
        if not 1 <= len(names) <= _MOST_COMPARED:
            said = self.words.say("Choose a run to see, or up to {most}.", most=_MOST_COMPARED)
            return await self._started(said, 400)
        return await run_in_threadpool(self._shown, names)

    def _shown(self, names: Sequence[str]) -> Response:
        runs = [self.desk.run(name) for name in names]
        found = [run for run in runs if run is not None]
        if len(found) < len(names):
            raise HTTPException(404, "There is no such run any more.")
        try:
            path = own_page(found[0])
            if len(found) == 1 and path is not None:
                return _answer(read_bounded(path, LARGEST).decode(), _SANDBOX)
            text = page_text([page_without_samples(run) for run in found])
        except (ClearpropError, OSError, UnicodeDecodeError) as error:
            return _answer(self.pages.start(self.children.all, str(error)), status=409)
        return _answer(text, f"{policy(live=False)}; frame-ancestors 'none'")

    async def _started(self, problem: str = "", status: int = 200, chosen: str = "") -> Response:
        text = await run_in_threadpool(self.pages.start, self.children.all, problem, chosen)
        return _answer(text, status=status)


def _answer(
    text: str, policy: str = "", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    own = {
        "Content-Security-Policy": policy or styles_policy(),
        # With "no-referrer" browsers would say of a form of this very page that it is from nowhere.
        "Referrer-Policy": "same-origin",
        **(headers or {}),
    }
    return Response(text, status, own, "text/html")


async def _form(request: Request, names: Sequence[str]) -> dict[str, str]:
    """Read a form: of these fields, those that hold something."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise HTTPException(415, f"Expected {_FORM}, found {shortened(kind)}.")
    try:
        given = parse_qs((await request.body()).decode("ascii"), errors="strict")
    except ValueError as error:
        raise HTTPException(400, "This is no form.") from error
    if not given.keys() <= {*names} or any(len(values) > 1 for values in given.values()):
        raise HTTPException(400, f"Expected each of {', '.join(names)} once at most.")
    form = {name: values[0] for name, values in given.items() if values[0].strip()}
    for name, value in form.items():
        if len(value) > _LONGEST or not value.isprintable():
            raise HTTPException(400, f"{name} can't be {shortened(value)}.")
    return form
