"""several machines"""

from zlib import crc32

from alembic import op
import sqlalchemy as sa


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mark',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_mark'))
    )
    op.create_table('process',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('machine', sa.Text(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_process'))
    )
    with op.batch_alter_table('calendar', schema=None) as batch_op:
        batch_op.add_column(sa.Column('part', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_index('ix_calendar_part_next_poll_at', ['part', 'next_poll_at'], unique=False)
    calendar = sa.table('calendar', sa.column('coach', sa.Text()), sa.column('part', sa.Integer()))
    conn = op.get_bind()
    for coach in conn.execute(sa.select(calendar.c.coach).distinct()).scalars().all():
        part = crc32(coach.encode()) % 256
        conn.execute(sa.update(calendar).where(calendar.c.coach == coach).values(part=part))
