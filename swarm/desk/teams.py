"""The switch. (placeholder: the COMMANDS helper writes this file)"""

from starlette.requests import Request
from starlette.responses import Response


async def show(request: Request) -> Response:
    return Response(status_code=501)


history = row = switch = show
